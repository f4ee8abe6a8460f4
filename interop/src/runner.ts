/** Plays a scenario: the steps of the official runner's files, each by the RPCs that it calls for them. */
import { equalBytes, utf8 } from "@coppice/core";
import type { Extension } from "@coppice/core";
import type { InteropClient, ProposalDescription } from "./client.ts";

/** A proposal by value, as a step describes it. */
interface Description {
  readonly proposalType: string;
  readonly keyPackage?: number;
  readonly removed?: string;
  readonly pskID?: number;
  readonly epochID?: number;
  readonly extensions?: readonly WrittenExtension[];
  readonly changeGroupID?: boolean;
  readonly changeCipherSuite?: boolean;
}

interface WrittenExtension {
  readonly extension_type: number;
  /** Base64. */
  readonly extension_data: string;
}

/** A step of a scenario: who does what. Numbers refer to earlier steps. */
export interface Step {
  readonly action: string;
  readonly actor?: string;
  readonly members?: readonly string[];
  readonly joiner?: string;
  readonly joiners?: readonly string[];
  readonly clients?: readonly string[];
  readonly signer?: string;
  readonly member?: string;
  readonly description?: Description;
  readonly keyPackage?: number;
  readonly removed?: string;
  readonly pskID?: number;
  readonly psks?: readonly number[];
  readonly epochID?: number;
  readonly extensions?: readonly WrittenExtension[];
  readonly byReference?: readonly number[];
  readonly byValue?: readonly Description[];
  readonly forcePath?: boolean;
  readonly externalTree?: boolean;
  readonly removePrior?: boolean;
  readonly applicationData?: string;
  readonly authenticatedData?: string;
  readonly ciphertext?: number;
  readonly proposer?: string;
  readonly committer?: string;
  readonly welcomer?: string;
  readonly externalReinitProposal?: number;
  readonly changeGroupID?: boolean;
  readonly changeCiphersuite?: boolean;
}

/** Under what a scenario is played. */
export interface Setting {
  readonly cipherSuite: number;
  /** The suite that a ReInit goes to. */
  readonly otherSuite: number;
  readonly encryptHandshake: boolean;
  /** One client for each actor. */
  readonly clientOf: (actor: string) => InteropClient;
}

type Bytes = Uint8Array<ArrayBuffer>;
const EMPTY: Bytes = new Uint8Array();

/** What a step left for later ones. */
interface Outcome {
  readonly proposal?: Bytes;
  readonly keyPackage?: Bytes;
  readonly ciphertext?: Bytes;
  readonly plaintext?: Bytes;
  readonly authenticatedData?: Bytes;
  readonly pskId?: Bytes;
  readonly pskSecret?: Bytes;
}

/** Plays all steps; throws at the first that fails. */
export async function play(script: readonly Step[], setting: Setting): Promise<void> {
  const game = new Game(setting);
  for (const [index, step] of script.entries()) {
    try {
      game.outcomes.push(await game.take(step));
    } catch (cause) {
      throw new Error(`step ${String(index)} (${step.action}): ${String(cause)}`, { cause });
    }
  }
}

class Game {
  readonly outcomes: Outcome[] = [];
  readonly #setting: Setting;
  readonly #states = new Map<string, number>();
  readonly #transactions = new Map<string, number>();
  readonly #signers = new Map<string, { readonly id: number; readonly index: number }>();
  #groups = 0;

  constructor(setting: Setting) {
    this.#setting = setting;
  }

  #client(actor: string): InteropClient {
    return this.#setting.clientOf(actor);
  }

  #state(actor: string): number {
    return found(this.#states.get(actor), `the state of ${actor}`);
  }

  #outcome(step: number, what: keyof Outcome): Bytes {
    return found(this.outcomes[step]?.[what], `${what} of step ${String(step)}`);
  }

  #newGroupId(): Bytes {
    return utf8(`group ${String(this.#groups++)}`);
  }

  async take(step: Step): Promise<Outcome> {
    const actor = step.actor ?? "";
    switch (step.action) {
      case "createGroup":
        await this.#create(actor, step.members ?? []);
        return {};
      case "createKeyPackage":
        return { keyPackage: await this.#keyPackage(actor) };
      case "installExternalPSK":
        return this.#installPsk(step.clients ?? []);
      case "externalJoin":
        await this.#externalJoin(step, actor);
        return {};
      case "addProposal":
      case "updateProposal":
      case "removeProposal":
      case "externalPSKProposal":
      case "resumptionPSKProposal":
      case "groupContextExtensionsProposal":
        return this.#propose(step, actor);
      case "newMemberAddProposal":
        return this.#newMember(actor, found(step.joiner, "joiner"));
      case "addExternalSigner":
        return this.#addSigner(actor, found(step.signer, "signer"));
      case "externalSignerProposal":
        return this.#signerProposal(actor, found(step.member, "member"), found(step.description, "description"));
      case "fullCommit":
        await this.#fullCommit(step, actor);
        return {};
      case "protect":
        return this.#protect(step, actor);
      case "unprotect":
        await this.#unprotect(step, actor);
        return {};
      case "branch":
        await this.#branch(step, actor);
        return {};
      case "reinit":
        await this.#reinit(step);
        return {};
      default:
        throw new TypeError(`There is no action ${step.action}`);
    }
  }

  async #create(actor: string, members: readonly string[]): Promise<void> {
    const { cipherSuite, encryptHandshake } = this.#setting;
    const identity = utf8(actor);
    const groupId = this.#newGroupId();
    const { stateId } = await this.#client(actor).createGroup({ groupId, cipherSuite, encryptHandshake, identity });
    this.#states.set(actor, stateId);
    if (members.length === 0) return;
    const byValue: ProposalDescription[] = [];
    for (const member of members) byValue.push({ proposalType: "add", keyPackage: await this.#keyPackage(member) });
    await this.#commitAll(actor, { joiners: members, byValue });
  }

  async #keyPackage(actor: string): Promise<Bytes> {
    const { cipherSuite } = this.#setting;
    const made = await this.#client(actor).createKeyPackage({ cipherSuite, identity: utf8(actor) });
    this.#transactions.set(actor, made.transactionId);
    return made.keyPackage;
  }

  #installPsk(clients: readonly string[]): Outcome {
    const pskId = utf8(`psk ${String(this.outcomes.length)}`);
    const pskSecret = new Uint8Array(32).fill(this.outcomes.length + 1);
    for (const actor of clients) {
      const stateOrTransactionId = this.#states.get(actor) ?? this.#transactions.get(actor);
      if (stateOrTransactionId === undefined) continue; // one who is to join from outside is given it there
      this.#client(actor).storePSK({ stateOrTransactionId, pskId, pskSecret });
    }
    return { pskId, pskSecret };
  }

  async #externalJoin(step: Step, actor: string): Promise<void> {
    const joiner = found(step.joiner, "joiner");
    const { externalTree = false, removePrior = false, members = [], psks = [] } = step;
    const info = await this.#client(actor).groupInfo({ stateId: this.#state(actor), externalTree });
    const joined = await this.#client(joiner).externalJoin({
      ...info,
      ...{ encryptHandshake: this.#setting.encryptHandshake, identity: utf8(joiner), removePrior },
      psks: psks.map((place) => ({
        pskId: this.#outcome(place, "pskId"),
        pskSecret: this.#outcome(place, "pskSecret"),
      })),
    });
    for (const member of [actor, ...members]) await this.#handle(member, joined.commit, [], joined.epochAuthenticator);
    this.#states.set(joiner, joined.stateId);
  }

  async #handle(actor: string, commit: Bytes, proposal: readonly Bytes[], expected: Bytes): Promise<void> {
    const handled = await this.#client(actor).handleCommit({ stateId: this.#state(actor), proposal, commit });
    this.#states.set(actor, handled.stateId);
    agree(actor, handled.epochAuthenticator, expected);
  }

  async #propose(step: Step, actor: string): Promise<Outcome> {
    const client = this.#client(actor);
    const stateId = this.#state(actor);
    switch (step.action) {
      case "addProposal":
        return client.addProposal({ stateId, keyPackage: this.#outcome(step.keyPackage ?? 0, "keyPackage") });
      case "updateProposal":
        return client.updateProposal({ stateId });
      case "removeProposal":
        return client.removeProposal({ stateId, removedId: utf8(step.removed ?? "") });
      case "externalPSKProposal":
        return client.externalPSKProposal({ stateId, pskId: this.#outcome(step.pskID ?? 0, "pskId") });
      case "resumptionPSKProposal":
        return client.resumptionPSKProposal({ stateId, epochId: BigInt(step.epochID ?? 0) });
      default:
        return client.groupContextExtensionsProposal({ stateId, extensions: read(step.extensions) });
    }
  }

  async #newMember(actor: string, joiner: string): Promise<Outcome> {
    const stateId = this.#state(actor);
    const { groupInfo } = await this.#client(actor).groupInfo({ stateId, externalTree: false });
    const made = await this.#client(joiner).newMemberAddProposal({ groupInfo, identity: utf8(joiner) });
    this.#transactions.set(joiner, made.transactionId);
    return { proposal: made.proposal };
  }

  async #addSigner(actor: string, signer: string): Promise<Outcome> {
    const { cipherSuite } = this.#setting;
    const made = await this.#client(signer).createExternalSigner({ cipherSuite, identity: utf8(signer) });
    this.#signers.set(signer, { id: made.signerId, index: this.#signers.size });
    return this.#client(actor).addExternalSigner({ stateId: this.#state(actor), externalSender: made.externalSender });
  }

  async #signerProposal(signer: string, member: string, description: Description): Promise<Outcome> {
    const { id: signerId, index: signerIndex } = found(this.#signers.get(signer), `the signer ${signer}`);
    const info = await this.#client(member).groupInfo({ stateId: this.#state(member), externalTree: false });
    return this.#client(signer).externalSignerProposal({
      ...{ signerId, signerIndex, ...info },
      description: this.#describe(description),
    });
  }

  #describe(written: Description): ProposalDescription {
    const { proposalType, keyPackage, removed, pskID, epochID, extensions, changeCipherSuite } = written;
    const { cipherSuite, otherSuite } = this.#setting;
    return {
      proposalType,
      ...(keyPackage !== undefined && { keyPackage: this.#outcome(keyPackage, "keyPackage") }),
      ...(removed !== undefined && { removedId: utf8(removed) }),
      ...(pskID !== undefined && { pskId: this.#outcome(pskID, "pskId") }),
      ...(epochID !== undefined && { epochId: BigInt(epochID) }),
      ...(extensions !== undefined && { extensions: read(extensions) }),
      ...(proposalType === "reinit" && {
        groupId: this.#newGroupId(),
        cipherSuite: changeCipherSuite === true ? otherSuite : cipherSuite,
      }),
    };
  }

  async #fullCommit(step: Step, actor: string): Promise<void> {
    const byReference = (step.byReference ?? []).map((place) => this.#outcome(place, "proposal"));
    const byValue = (step.byValue ?? []).map((description) => this.#describe(description));
    await this.#commitAll(actor, { ...step, byReference, byValue });
  }

  async #commitAll(
    actor: string,
    {
      byReference = [],
      byValue = [],
      members = [],
      joiners = [],
      forcePath = false,
      externalTree = false,
    }: {
      readonly byReference?: readonly Bytes[];
      readonly byValue?: readonly ProposalDescription[];
    } & Pick<Step, "members" | "joiners" | "forcePath" | "externalTree">,
  ): Promise<void> {
    const client = this.#client(actor);
    const stateId = this.#state(actor);
    const made = await client.commit({ stateId, byReference, byValue, forcePath, externalTree });
    const pending = client.handlePendingCommit({ stateId });
    this.#states.set(actor, pending.stateId);
    for (const member of members) await this.#handle(member, made.commit, byReference, pending.epochAuthenticator);
    for (const joiner of joiners) {
      const joined = await this.#client(joiner).joinGroup({
        ...{
          transactionId: found(this.#transactions.get(joiner), `a key package of ${joiner}`),
          welcome: made.welcome,
        },
        ...{ encryptHandshake: this.#setting.encryptHandshake, ratchetTree: made.ratchetTree },
      });
      this.#states.set(joiner, joined.stateId);
      agree(joiner, joined.epochAuthenticator, pending.epochAuthenticator);
    }
  }

  async #protect(step: Step, actor: string): Promise<Outcome> {
    const plaintext = utf8(step.applicationData ?? "");
    const authenticatedData = utf8(step.authenticatedData ?? "");
    const sent = await this.#client(actor).protect({ stateId: this.#state(actor), authenticatedData, plaintext });
    return { ...sent, plaintext, authenticatedData };
  }

  async #unprotect(step: Step, actor: string): Promise<void> {
    const place = step.ciphertext ?? 0;
    const ciphertext = this.#outcome(place, "ciphertext");
    const opened = await this.#client(actor).unprotect({ stateId: this.#state(actor), ciphertext });
    agree(actor, opened.plaintext, this.#outcome(place, "plaintext"));
    agree(actor, opened.authenticatedData, this.#outcome(place, "authenticatedData"));
  }

  async #branch(step: Step, actor: string): Promise<void> {
    const { members = [], forcePath = false, externalTree = false } = step;
    const keyPackages: Bytes[] = [];
    for (const member of members) keyPackages.push(await this.#keyPackage(member));
    const made = await this.#client(actor).createBranch({
      ...{ stateId: this.#state(actor), groupId: this.#newGroupId(), extensions: read(step.extensions) },
      ...{ keyPackages, forcePath, externalTree },
    });
    for (const member of members) {
      const transactionId = found(this.#transactions.get(member), `a key package of ${member}`);
      const { welcome, ratchetTree } = made;
      const request = { stateId: this.#state(member), transactionId, welcome, ratchetTree };
      const joined = await this.#client(member).handleBranch(request);
      agree(member, joined.epochAuthenticator, made.epochAuthenticator);
      this.#states.set(member, joined.stateId);
    }
    this.#states.set(actor, made.stateId);
  }

  async #reinit(step: Step): Promise<void> {
    const { members = [], forcePath = false, externalTree = false } = step;
    const [committer, welcomer] = [found(step.committer, "committer"), found(step.welcomer, "welcomer")];
    const proposal =
      step.externalReinitProposal === undefined
        ? await this.#reinitProposal(step, found(step.proposer, "proposer"))
        : this.#outcome(step.externalReinitProposal, "proposal");
    const stateId = this.#state(committer);
    const made = await this.#client(committer).reInitCommit({
      ...{ stateId, byReference: [proposal], byValue: [], forcePath, externalTree },
    });
    const everybody = new Set([
      committer,
      welcomer,
      ...(step.proposer === undefined ? [] : [step.proposer]),
      ...members,
    ]);
    const closed = new Map<string, { reinitId: number; keyPackage: Bytes; epochAuthenticator: Bytes }>();
    for (const actor of everybody) {
      const client = this.#client(actor);
      const own = { stateId: this.#state(actor), proposal: [proposal], commit: made.commit };
      const done = actor === committer ? client.handlePendingReInitCommit({ stateId }) : client.handleReInitCommit(own);
      closed.set(actor, await done);
    }
    const authenticators = [...closed.values()].map(({ epochAuthenticator }) => epochAuthenticator);
    for (const one of authenticators) agree("a member", one, authenticators[0] ?? EMPTY);

    const others = [...closed].filter(([actor]) => actor !== welcomer);
    const welcome = await this.#client(welcomer).reInitWelcome({
      ...{ reinitId: found(closed.get(welcomer), "the welcomer").reinitId, forcePath, externalTree },
      keyPackage: others.map(([, { keyPackage }]) => keyPackage),
    });
    this.#states.set(welcomer, welcome.stateId);
    for (const [actor, { reinitId }] of others) {
      const joined = await this.#client(actor).handleReInitWelcome({ ...welcome, reinitId });
      agree(actor, joined.epochAuthenticator, welcome.epochAuthenticator);
      this.#states.set(actor, joined.stateId);
    }
  }

  async #reinitProposal(step: Step, proposer: string): Promise<Bytes> {
    const { cipherSuite, otherSuite } = this.#setting;
    const made = await this.#client(proposer).reInitProposal({
      ...{ stateId: this.#state(proposer), groupId: this.#newGroupId(), extensions: read(step.extensions) },
      cipherSuite: step.changeCiphersuite === true ? otherSuite : cipherSuite,
    });
    return made.proposal;
  }
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new TypeError(`There is no ${what}`);
  return value;
}

function agree(actor: string, a: Bytes, b: Bytes): void {
  if (!equalBytes(a, b)) throw new Error(`${actor} has another value than the others`);
}

const read = (written: readonly WrittenExtension[] = []): Extension[] =>
  written.map(({ extension_type: extensionType, extension_data: data }) => ({
    extensionType,
    extensionData: Uint8Array.from(atob(data), (character) => character.charCodeAt(0)),
  }));
