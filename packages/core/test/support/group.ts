/** A small group whose members are driven by hand. */
import { expect } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { concat, toHex, utf8 } from "../../src/codec/bytes.ts";
import type { CreateCommitOptions } from "../../src/commit/create.ts";
import { adoptCommit, createCommit } from "../../src/commit/create.ts";
import type { Credential } from "../../src/identity/credential.ts";
import { basicCredential } from "../../src/identity/credential.ts";
import type { CipherSuite } from "../../src/crypto/cipher-suite.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import type { CoppiceError, MlsErrorCode } from "../../src/errors.ts";
import { isCoppiceError } from "../../src/errors.ts";
import type { LocalSigner } from "../../src/crypto/signature.ts";
import type { Extension } from "../../src/extensions/extension.ts";
import { decodeMessageOf } from "../../src/framing/mls-message.ts";
import type { Proposal } from "../../src/framing/proposal.ts";
import type { GroupState } from "../../src/state/group-state.ts";
import { createGroup } from "../../src/group/create.ts";
import { createGroupInfo } from "../../src/group/export.ts";
import type { ExternalJoinOptions } from "../../src/group/external-join.ts";
import { createExternalCommit } from "../../src/group/external-join.ts";
import type { JoinOptions } from "../../src/group/join.ts";
import { joinGroup } from "../../src/group/join.ts";
import type { ReceivedMessage } from "../../src/group/receive.ts";
import { processMessage } from "../../src/group/receive.ts";
import { createApplicationMessage } from "../../src/group/send.ts";
import type { OwnKeyPackage } from "../../src/framing/key-package.ts";
import { createKeyPackage } from "../../src/framing/key-package.ts";
import type { AuthenticationService } from "../../src/identity/authentication.ts";
import type { Rules } from "../../src/rules.ts";
import { makeRules } from "../../src/rules.ts";
import { defaultCapabilities } from "../../src/extensions/capabilities.ts";
import { encodeGroupState } from "../../src/group/serialise.ts";

export const NOW = 1_800_000_000n;
export const LIFETIME = { notBefore: NOW - 3600n, notAfter: NOW + 86_400n };
/** An extension type of the private-use range that all test members support. */
export const TEST_EXTENSION = 0xf0aa;

/** Trusts everybody, and takes everybody for whoever was in their place. */
export const ANYBODY: AuthenticationService = { validate: () => Promise.resolve(), sameIdentity: () => true };

export function testRules(changes: Partial<Rules> = {}): Rules {
  return makeRules({
    authentication: { validate: () => Promise.resolve() },
    now: () => NOW,
    supportedExtensions: [TEST_EXTENSION],
    ...changes,
  });
}

/** `items[index]`, which is there. */
export function at<T>(items: readonly T[], index: number): T {
  const found = items[index];
  if (found === undefined) throw new RangeError(`there is no item ${String(index)}`);
  return found;
}

/** One client: a name, a signature key, and a state once it is in the group. */
export class Member {
  readonly name: string;
  readonly suite: CipherSuite;
  readonly signer: LocalSigner;
  readonly signaturePrivateKey: Bytes;
  rules: Rules;
  /** Of its key packages, of the group that it founds and of its external Commits. */
  leafExtensions: readonly Extension[] = [];
  credential: Credential;
  #state: GroupState | undefined;

  private constructor(
    name: string,
    suite: CipherSuite,
    keys: { signer: LocalSigner; privateKey: Bytes },
    rules: Rules,
  ) {
    this.name = name;
    this.suite = suite;
    this.signer = keys.signer;
    this.signaturePrivateKey = keys.privateKey;
    this.rules = rules;
    this.credential = basicCredential(name);
  }

  static async create(name: string, options: { suite?: CipherSuite; rules?: Rules } = {}): Promise<Member> {
    const suite = options.suite ?? (await getCipherSuite(1));
    const { privateKey } = await suite.signature.generateKeyPair();
    const signer = await suite.signature.importSigner(privateKey);
    return new Member(name, suite, { signer, privateKey }, options.rules ?? testRules());
  }

  get state(): GroupState {
    if (this.#state === undefined) throw new Error(`${this.name} is in no group`);
    return this.#state;
  }

  set state(state: GroupState) {
    this.#state = state;
  }

  get capabilities(): ReturnType<typeof defaultCapabilities> {
    const proposals = this.rules.proposalTypes.map(({ customType }) => customType);
    return defaultCapabilities([this.suite.id], { extensions: this.rules.supportedExtensions, proposals });
  }

  async found(extensions: readonly Extension[] = []): Promise<void> {
    const { suite, rules, signer, capabilities, credential, leafExtensions } = this;
    this.state = await createGroup({
      ...{ suite, rules, credential, signer, capabilities, lifetime: LIFETIME, extensions, leafExtensions },
    });
  }

  keyPackage(): Promise<OwnKeyPackage> {
    const { suite, signer, capabilities, credential, leafExtensions } = this;
    return createKeyPackage({ suite, credential, signer, lifetime: LIFETIME, capabilities, leafExtensions });
  }

  async commit(options: Partial<CreateCommitOptions> = {}): Promise<Awaited<ReturnType<typeof createCommit>>> {
    const made = await createCommit(this.state, { rules: this.rules, signer: this.signer, ...options });
    this.state = made.state;
    return made;
  }

  adopt(made: Awaited<ReturnType<typeof createCommit>>): void {
    this.state = adoptCommit(this.state, made.staged, this.rules).state;
  }

  async join(
    welcome: Bytes | undefined,
    keyPackage: OwnKeyPackage,
    options: Pick<JoinOptions, "findGroup"> = {},
  ): Promise<void> {
    if (welcome === undefined) throw new Error("there is no Welcome");
    const decoded = decodeMessageOf("mls_welcome", welcome).welcome;
    const { suite, rules } = this;
    ({ state: this.state } = await joinGroup(decoded, { suite, rules, keyPackage, ...options }));
  }

  async receive(message: Bytes): Promise<ReceivedMessage> {
    const received = await processMessage(this.state, message, { rules: this.rules });
    this.state = received.state;
    return received;
  }

  /** Processes a message without adopting the state that follows. */
  peek(message: Bytes): Promise<ReceivedMessage> {
    return processMessage(this.state, message, { rules: this.rules });
  }

  async send(text: string): Promise<Bytes> {
    const { state, message } = await createApplicationMessage(this.state, utf8(text), {
      rules: this.rules,
      signer: this.signer,
    });
    this.state = state;
    return message;
  }
}

/** Members of one group who all follow every commit. */
export class Group {
  members: Member[];
  /** Sees each handshake that the members have processed. */
  onHandshake: (message: Bytes) => Promise<void> = () => Promise.resolve();

  private constructor(members: Member[]) {
    this.members = members;
  }

  /** `names[0]` creates the group and adds the others in one commit. */
  static async of(
    names: readonly string[],
    options: {
      suite?: CipherSuite;
      rules?: Rules;
      extensions?: readonly Extension[];
      leafExtensions?: readonly Extension[];
    } = {},
  ): Promise<Group> {
    const members = await Promise.all(names.map((name) => Member.create(name, options)));
    for (const member of members) member.leafExtensions = options.leafExtensions ?? [];
    const [creator, ...others] = members;
    if (creator === undefined) throw new Error("a group has a creator");
    await creator.found(options.extensions);
    const group = new Group([creator]);
    if (others.length > 0) await group.add(creator, others);
    return group;
  }

  /** Of members that have joined one already. */
  static joined(members: readonly Member[]): Group {
    const group = new Group([...members]);
    group.expectAgreement();
    return group;
  }

  member(name: string): Member {
    const found = this.members.find((member) => member.name === name);
    if (found === undefined) throw new Error(`${name} is not in the group`);
    return found;
  }

  async add(
    committer: Member,
    newcomers: readonly Member[],
    options: Partial<CreateCommitOptions> = {},
  ): Promise<void> {
    const packages = await Promise.all(newcomers.map((newcomer) => newcomer.keyPackage()));
    const proposals = packages.map(({ keyPackage }): Proposal => ({ proposalType: 1, keyPackage }));
    const made = await this.commit(committer, { ...options, proposals });
    for (const [i, newcomer] of newcomers.entries()) {
      const own = packages[i];
      if (own !== undefined) await newcomer.join(made.staged.welcome, own);
    }
    this.members.push(...newcomers);
    this.expectAgreement();
  }

  /** Commits and lets everyone else process it; members that were removed leave the list. */
  async commit(
    committer: Member,
    options: Partial<CreateCommitOptions> = {},
  ): Promise<Awaited<ReturnType<typeof createCommit>>> {
    const made = await committer.commit(options);
    for (const member of this.members) {
      if (member === committer) member.adopt(made);
      else await member.receive(made.staged.commit);
    }
    this.members = this.members.filter(({ state }) => state.status !== "removed");
    this.expectAgreement();
    await this.onHandshake(made.staged.commit);
    return made;
  }

  /** Sends a proposal that everyone else processes. */
  async propose(proposer: Member, sent: { readonly state: GroupState; readonly message: Bytes }): Promise<void> {
    proposer.state = sent.state;
    for (const member of this.members) if (member !== proposer) await member.receive(sent.message);
    await this.onHandshake(sent.message);
  }

  /** A client lets itself in; the first member publishes the GroupInfo. */
  async joinExternally(newcomer: Member, options: Partial<ExternalJoinOptions> = {}): Promise<void> {
    const host = at(this.members, 0);
    const info = await createGroupInfo(host.state, host.signer);
    const { suite, rules, signer, capabilities, credential, leafExtensions } = newcomer;
    const joined = await createExternalCommit(info, {
      ...{ suite, rules, signer, capabilities, credential, leafExtensions },
      ...options,
    });
    for (const member of this.members) {
      const received = await member.receive(joined.commit);
      expect(received.kind === "commit" && received.effect.external).toBe(true);
    }
    newcomer.state = joined.state;
    this.members = [...this.members.filter(({ state }) => state.status === "active"), newcomer];
    this.expectAgreement();
    await this.onHandshake(joined.commit);
  }

  /** Sends a message and checks that everyone else reads it. */
  async chat(sender: Member, text: string): Promise<void> {
    const message = await sender.send(text);
    for (const member of this.members.filter((other) => other !== sender)) {
      const received = await member.receive(message);
      expect(received.kind === "application" && new TextDecoder().decode(received.data)).toBe(text);
    }
  }

  /** All members share epoch, tree and authenticator. */
  expectAgreement(): void {
    const views = this.members.map(({ state }) =>
      toHex(concat(state.context.treeHash, state.secrets.epochAuthenticator, state.interimTranscriptHash)),
    );
    expect(new Set(views).size).toBe(1);
  }
}

/** What an error must say; any code where none is given. */
export interface Expected {
  readonly code?: MlsErrorCode;
  readonly requirement?: string;
  readonly detail?: CoppiceError["detail"];
}

/** What an attempt was refused with; short, so that a failing test can be read. */
async function outcome(attempt: () => Promise<unknown>): Promise<unknown> {
  try {
    await attempt();
    return { name: "no error" };
  } catch (error) {
    if (!isCoppiceError(error)) return error;
    const { name, message, code, requirement, detail } = error;
    return { name, message, code, requirement, detail };
  }
}

/** Checks that `attempt` is refused with this code and requirement, and that nothing in the member's state changed. */
export async function expectRefusal(
  member: Member,
  expected: Expected,
  attempt: () => Promise<unknown>,
): Promise<void> {
  const before = toHex(encodeGroupState(member.state));
  expect(await outcome(attempt)).toMatchObject({ name: "CoppiceError", ...expected });
  expect(toHex(encodeGroupState(member.state)) === before).toBe(true);
}

/**
 * Checks that `receiver` refuses `forged`, stays as it was, and can still process `genuine`. The state is left where it
 * was, so that a file's cases can share one group.
 */
export async function expectForgeryRefused(
  receiver: Member,
  forged: Bytes,
  expected: Expected,
  genuine: Bytes,
): Promise<void> {
  await expectRefusal(receiver, expected, () => receiver.peek(forged));
  await receiver.peek(genuine);
}
