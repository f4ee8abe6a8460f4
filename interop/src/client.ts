/** The RPCs of the MLS working group's interop client over the public API of `@coppice/core`: one method for each. */
import * as mls from "@coppice/core";

type Bytes = Uint8Array<ArrayBuffer>;

/** What one member has of a group, beside the state: what it asks and answers by itself. */
interface Seat {
  readonly state: mls.GroupState;
  readonly person: Person;
  readonly encrypt: boolean;
  /** By hex of their ids. */
  readonly psks: Map<string, Bytes>;
  readonly pending?: mls.StagedCommit;
  /** References of own proposals by hex of their messages: private ones cannot be opened again. */
  readonly sent: Map<string, Bytes>;
}

interface Person {
  readonly suite: mls.CipherSuite;
  readonly credential: mls.Credential;
  readonly signer: mls.Signer;
  readonly signaturePrivateKey: Bytes;
}

/** A key package that waits for its Welcome, or a reinitialised group for its successor. */
interface Waiting {
  readonly person: Person;
  readonly keyPackage: mls.OwnKeyPackage;
  readonly psks: Map<string, Bytes>;
  readonly old?: Seat;
}

/** `ProposalDescription` of the protocol file. */
export interface ProposalDescription {
  readonly proposalType: string;
  readonly keyPackage?: Uint8Array;
  readonly removedId?: Uint8Array;
  readonly pskId?: Uint8Array;
  readonly epochId?: bigint;
  readonly extensions?: readonly mls.Extension[];
  readonly groupId?: Uint8Array;
  readonly cipherSuite?: number;
}

interface CommitRequest {
  readonly stateId: number;
  readonly byReference: readonly Uint8Array[];
  readonly byValue: readonly ProposalDescription[];
  readonly forcePath: boolean;
  readonly externalTree: boolean;
}

interface CommitResponse {
  readonly commit: Bytes;
  readonly welcome: Bytes;
  readonly ratchetTree: Bytes;
}

interface Joined {
  readonly stateId: number;
  readonly epochAuthenticator: Bytes;
}

interface CreatedKeyPackage {
  readonly transactionId: number;
  readonly keyPackage: Bytes;
  readonly initPriv: Bytes;
  readonly encryptionPriv: Bytes;
  readonly signaturePriv: Bytes;
}

const EMPTY: Bytes = new Uint8Array();
const own = (bytes: Uint8Array): Bytes => new Uint8Array(bytes);
const now = (): bigint => BigInt(Math.floor(Date.now() / 1000));
const same = (a: Uint8Array, b: Uint8Array): boolean => mls.equalBytes(own(a), own(b));

/** Numbers for what the other side refers to: of a state and of a transaction they differ, since StorePSK takes either. */
class Numbers {
  #last = 0;
  next(): number {
    return ++this.#last;
  }
}

class Table<T> {
  readonly #items = new Map<number, T>();
  readonly #numbers: Numbers;
  readonly #what: string;

  constructor(what: string, numbers: Numbers) {
    this.#what = what;
    this.#numbers = numbers;
  }

  add(item: T): number {
    const id = this.#numbers.next();
    this.#items.set(id, item);
    return id;
  }

  find(id: number): T | undefined {
    return this.#items.get(id);
  }

  get(id: number): T {
    const item = this.#items.get(id);
    if (item === undefined) throw new RangeError(`There is no ${this.#what} ${String(id)}`);
    return item;
  }

  set(id: number, item: T): void {
    this.get(id);
    this.#items.set(id, item);
  }

  delete(id: number): void {
    this.get(id);
    this.#items.delete(id);
  }
}

/** A client with every group that it was told to be in. What it refuses, it throws. */
export class InteropClient {
  readonly #numbers = new Numbers();
  readonly #seats = new Table<Seat>("state", this.#numbers);
  readonly #waiting = new Table<Waiting>("transaction", this.#numbers);
  readonly #signers = new Table<Person>("signer", this.#numbers);

  name(): { name: string } {
    return { name: "Coppice" };
  }

  supportedCiphersuites(): { ciphersuites: readonly number[] } {
    return { ciphersuites: mls.SUPPORTED_CIPHER_SUITES };
  }

  async createGroup(request: {
    readonly groupId: Uint8Array;
    readonly cipherSuite: number;
    readonly encryptHandshake: boolean;
    readonly identity: Uint8Array;
  }): Promise<{ stateId: number }> {
    const person = await newPerson(request.cipherSuite, request.identity);
    const psks = new Map<string, Bytes>();
    const state = await mls.createGroup({ ...profile(person), rules: rulesFor(psks), groupId: request.groupId });
    return { stateId: this.#seats.add({ state, person, encrypt: request.encryptHandshake, psks, sent: new Map() }) };
  }

  async createKeyPackage(request: {
    readonly cipherSuite: number;
    readonly identity: Uint8Array;
  }): Promise<CreatedKeyPackage> {
    return this.#newKeyPackage(await newPerson(request.cipherSuite, request.identity));
  }

  async #newKeyPackage(person: Person): Promise<CreatedKeyPackage> {
    const keyPackage = await mls.createKeyPackage(profile(person));
    return {
      transactionId: this.#waiting.add({ person, keyPackage, psks: new Map() }),
      keyPackage: encodeKeyPackage(keyPackage),
      initPriv: own(keyPackage.initPrivateKey),
      encryptionPriv: own(keyPackage.encryptionPrivateKey),
      signaturePriv: person.signaturePrivateKey,
    };
  }

  async joinGroup(request: {
    readonly transactionId: number;
    readonly welcome: Uint8Array;
    readonly encryptHandshake: boolean;
    readonly ratchetTree: Uint8Array;
  }): Promise<Joined> {
    return this.#join(this.#waiting.get(request.transactionId), request, request.encryptHandshake);
  }

  async #join(
    { person, keyPackage, psks, old }: Waiting,
    { welcome, ratchetTree }: { readonly welcome: Uint8Array; readonly ratchetTree: Uint8Array },
    encrypt: boolean,
  ): Promise<Joined> {
    const { state } = await mls.joinGroup(welcome, {
      ...{ suite: person.suite, rules: rulesFor(psks), keyPackage },
      ...(ratchetTree.length > 0 && { ratchetTree }),
      findGroup: () => old?.state,
    });
    return this.#entered({ state, person, encrypt, psks, sent: new Map() });
  }

  #entered(seat: Seat): Joined {
    return { stateId: this.#seats.add(seat), epochAuthenticator: seat.state.secrets.epochAuthenticator };
  }

  async externalJoin(request: {
    readonly groupInfo: Uint8Array;
    readonly ratchetTree: Uint8Array;
    readonly encryptHandshake: boolean;
    readonly identity: Uint8Array;
    readonly removePrior: boolean;
    readonly psks: readonly { readonly pskId: Uint8Array; readonly pskSecret: Uint8Array }[];
  }): Promise<Joined & { commit: Bytes }> {
    const { groupInfo } = mls.decodeMessageOf("mls_group_info", own(request.groupInfo));
    const person = await newPerson(groupInfo.groupContext.cipherSuite, request.identity);
    const psks = new Map(request.psks.map(({ pskId, pskSecret }) => [mls.toHex(pskId), own(pskSecret)]));
    const rules = rulesFor(psks);
    const tree = request.ratchetTree.length > 0 ? { ratchetTree: request.ratchetTree } : {};
    const observer = await mls.observeGroup(groupInfo, { suite: person.suite, rules, ...tree });
    const prior = request.removePrior ? { replaces: memberOf(observer, request.identity) } : {};
    const { commit, state } = await mls.createExternalCommit(groupInfo, {
      ...{ suite: person.suite, rules, credential: person.credential, signer: person.signer },
      capabilities: capabilitiesOf(),
      psks: request.psks.map(({ pskId, pskSecret }) => ({ pskId, psk: pskSecret })),
      ...tree,
      ...prior,
    });
    return { ...this.#entered({ state, person, encrypt: request.encryptHandshake, psks, sent: new Map() }), commit };
  }

  async groupInfo(request: {
    readonly stateId: number;
    readonly externalTree: boolean;
  }): Promise<{ groupInfo: Bytes; ratchetTree: Bytes }> {
    const { state, person } = this.#seats.get(request.stateId);
    const tree = !request.externalTree;
    const groupInfo = await mls.createGroupInfo(state, person.signer, { tree });
    return {
      groupInfo: mls.encodeMessage({ wireFormat: "mls_group_info", groupInfo }),
      ratchetTree: tree ? EMPTY : mls.exportRatchetTree(state),
    };
  }

  stateAuth({ stateId }: { readonly stateId: number }): { stateAuthSecret: Bytes } {
    return { stateAuthSecret: this.#seats.get(stateId).state.secrets.epochAuthenticator };
  }

  export(request: {
    readonly stateId: number;
    readonly label: string;
    readonly context: Uint8Array;
    readonly keyLength: number;
  }): { exportedSecret: Bytes } {
    const { label, context, keyLength: length } = request;
    return { exportedSecret: mls.exportSecret(this.#seats.get(request.stateId).state, { label, context, length }) };
  }

  async protect(request: {
    readonly stateId: number;
    readonly authenticatedData: Uint8Array;
    readonly plaintext: Uint8Array;
  }): Promise<{ ciphertext: Bytes }> {
    const seat = this.#seats.get(request.stateId);
    const { authenticatedData } = request;
    const sent = await mls.createApplicationMessage(seat.state, request.plaintext, {
      ...sending(seat),
      authenticatedData,
    });
    this.#seats.set(request.stateId, { ...seat, state: sent.state });
    return { ciphertext: sent.message };
  }

  async unprotect(request: {
    readonly stateId: number;
    readonly ciphertext: Uint8Array;
  }): Promise<{ authenticatedData: Bytes; plaintext: Bytes }> {
    const seat = this.#seats.get(request.stateId);
    const received = await mls.processMessage(seat.state, request.ciphertext, { rules: rulesFor(seat.psks) });
    if (received.kind !== "application") throw new TypeError("An application message is expected");
    this.#seats.set(request.stateId, { ...seat, state: received.state });
    return { authenticatedData: received.authenticatedData, plaintext: received.data };
  }

  storePSK(request: {
    readonly stateOrTransactionId: number;
    readonly pskId: Uint8Array;
    readonly pskSecret: Uint8Array;
  }): object {
    const id = request.stateOrTransactionId;
    const owner = this.#seats.find(id) ?? this.#waiting.get(id);
    owner.psks.set(mls.toHex(request.pskId), own(request.pskSecret));
    return {};
  }

  free({ stateId }: { readonly stateId: number }): object {
    this.#seats.delete(stateId);
    return {};
  }

  async addProposal(request: {
    readonly stateId: number;
    readonly keyPackage: Uint8Array;
  }): Promise<{ proposal: Bytes }> {
    return this.#propose(request.stateId, { proposalType: "add", keyPackage: request.keyPackage });
  }

  async updateProposal({ stateId }: { readonly stateId: number }): Promise<{ proposal: Bytes }> {
    const seat = this.#seats.get(stateId);
    return this.#proposed(stateId, await mls.createUpdateProposal(seat.state, sending(seat)));
  }

  async removeProposal(request: {
    readonly stateId: number;
    readonly removedId: Uint8Array;
  }): Promise<{ proposal: Bytes }> {
    return this.#propose(request.stateId, { proposalType: "remove", removedId: request.removedId });
  }

  async externalPSKProposal(request: {
    readonly stateId: number;
    readonly pskId: Uint8Array;
  }): Promise<{ proposal: Bytes }> {
    return this.#propose(request.stateId, { proposalType: "externalPSK", pskId: request.pskId });
  }

  async resumptionPSKProposal(request: {
    readonly stateId: number;
    readonly epochId: bigint;
  }): Promise<{ proposal: Bytes }> {
    return this.#propose(request.stateId, { proposalType: "resumptionPSK", epochId: request.epochId });
  }

  async groupContextExtensionsProposal(request: {
    readonly stateId: number;
    readonly extensions: readonly mls.Extension[];
  }): Promise<{ proposal: Bytes }> {
    return this.#propose(request.stateId, {
      proposalType: "groupContextExtensions",
      extensions: request.extensions,
    });
  }

  async reInitProposal(request: {
    readonly stateId: number;
    readonly cipherSuite: number;
    readonly groupId: Uint8Array;
    readonly extensions: readonly mls.Extension[];
  }): Promise<{ proposal: Bytes }> {
    return this.#propose(request.stateId, { ...request, proposalType: "reinit" });
  }

  async #propose(stateId: number, description: ProposalDescription): Promise<{ proposal: Bytes }> {
    const seat = this.#seats.get(stateId);
    const proposal = toProposal(seat.state, description);
    return this.#proposed(stateId, await mls.createProposal(seat.state, proposal, sending(seat)));
  }

  #proposed(
    stateId: number,
    { state, message, ref }: { readonly state: mls.GroupState; readonly message: Bytes; readonly ref: Bytes },
  ): { proposal: Bytes } {
    const seat = this.#seats.get(stateId);
    seat.sent.set(mls.toHex(message), ref);
    this.#seats.set(stateId, { ...seat, state });
    return { proposal: message };
  }

  async commit(request: CommitRequest): Promise<CommitResponse> {
    const seat = this.#seats.get(request.stateId);
    const heard = await this.#hear(seat, request.byReference);
    const made = await mls.createCommit(heard.state, {
      ...sending(seat),
      proposals: request.byValue.map((description) => toProposal(heard.state, description)),
      includeCached: heard.refs,
      forcePath: request.forcePath,
      treeInWelcome: !request.externalTree,
    });
    this.#seats.set(request.stateId, { ...seat, state: made.state, pending: made.staged });
    const { commit, welcome = EMPTY, next } = made.staged;
    return { commit, welcome, ratchetTree: request.externalTree ? mls.exportRatchetTree(next) : EMPTY };
  }

  /** The proposals that these messages hold: those of others are processed, own ones are known. */
  async #hear(seat: Seat, messages: readonly Uint8Array[]): Promise<{ state: mls.GroupState; refs: readonly Bytes[] }> {
    let { state } = seat;
    const refs: Bytes[] = [];
    for (const message of messages) {
      let ref = seat.sent.get(mls.toHex(own(message)));
      if (ref === undefined) {
        const received = await mls.processMessage(state, message, { rules: rulesFor(seat.psks) });
        if (received.kind !== "proposal") throw new TypeError("A proposal is expected");
        ({ state, ref } = received);
      }
      refs.push(ref);
    }
    return { state, refs };
  }

  async handleCommit(request: {
    readonly stateId: number;
    readonly proposal: readonly Uint8Array[];
    readonly commit: Uint8Array;
  }): Promise<Joined> {
    return this.#entered(await this.#follow(request));
  }

  async #follow(request: {
    readonly stateId: number;
    readonly proposal: readonly Uint8Array[];
    readonly commit: Uint8Array;
  }): Promise<Seat> {
    const seat = this.#seats.get(request.stateId);
    const { state } = await this.#hear(seat, request.proposal);
    const received = await mls.processMessage(state, request.commit, { rules: rulesFor(seat.psks) });
    if (received.kind !== "commit") throw new TypeError("A Commit is expected");
    return { ...seat, state: received.state };
  }

  handlePendingCommit({ stateId }: { readonly stateId: number }): Joined {
    return this.#entered(this.#adopt(stateId));
  }

  #adopt(stateId: number): Seat {
    const { pending, ...seat } = this.#seats.get(stateId);
    if (pending === undefined) throw new TypeError("No Commit is pending");
    return { ...seat, state: mls.adoptCommit(seat.state, pending, rulesFor(seat.psks)).state };
  }

  reInitCommit(request: CommitRequest): Promise<CommitResponse> {
    return this.commit(request);
  }

  async handlePendingReInitCommit(request: {
    readonly stateId: number;
  }): Promise<{ reinitId: number; keyPackage: Bytes; epochAuthenticator: Bytes }> {
    return this.#closed(this.#adopt(request.stateId));
  }

  async handleReInitCommit(request: {
    readonly stateId: number;
    readonly proposal: readonly Uint8Array[];
    readonly commit: Uint8Array;
  }): Promise<{ reinitId: number; keyPackage: Bytes; epochAuthenticator: Bytes }> {
    return this.#closed(await this.#follow(request));
  }

  /** A key package of the suite that the ReInit announced. */
  async #closed(old: Seat): Promise<{ reinitId: number; keyPackage: Bytes; epochAuthenticator: Bytes }> {
    const { reinit } = old.state;
    if (reinit === undefined) throw new TypeError("The Commit does not reinitialise the group");
    const { credential } = old.person;
    const person =
      reinit.cipherSuite === old.person.suite.id
        ? old.person
        : { ...(await newPerson(reinit.cipherSuite, EMPTY)), credential };
    const keyPackage = await mls.createKeyPackage(profile(person));
    return {
      reinitId: this.#waiting.add({ person, keyPackage, psks: old.psks, old }),
      keyPackage: encodeKeyPackage(keyPackage),
      epochAuthenticator: old.state.secrets.epochAuthenticator,
    };
  }

  async reInitWelcome(request: {
    readonly reinitId: number;
    readonly keyPackage: readonly Uint8Array[];
    readonly forcePath: boolean;
    readonly externalTree: boolean;
  }): Promise<Joined & { welcome: Bytes; ratchetTree: Bytes }> {
    const { person, old } = this.#waiting.get(request.reinitId);
    if (old === undefined) throw new TypeError("This is no reinitialised group");
    const made = await mls.reinitGroup(old.state, {
      ...profile(person),
      ...successor(request.keyPackage, request),
      rules: rulesFor(old.psks),
    });
    return this.#succeeded(made, { ...old, person }, request);
  }

  #succeeded(
    { state, welcome }: mls.Successor,
    seat: Seat,
    { externalTree }: { readonly externalTree: boolean },
  ): Joined & { welcome: Bytes; ratchetTree: Bytes } {
    const ratchetTree = externalTree ? mls.exportRatchetTree(state) : EMPTY;
    return { ...this.#entered({ ...seat, state }), welcome, ratchetTree };
  }

  async handleReInitWelcome(request: {
    readonly reinitId: number;
    readonly welcome: Uint8Array;
    readonly ratchetTree: Uint8Array;
  }): Promise<Joined> {
    const waiting = this.#waiting.get(request.reinitId);
    return this.#join(waiting, request, waiting.old?.encrypt ?? true);
  }

  async createBranch(request: {
    readonly stateId: number;
    readonly groupId: Uint8Array;
    readonly extensions: readonly mls.Extension[];
    readonly keyPackages: readonly Uint8Array[];
    readonly forcePath: boolean;
    readonly externalTree: boolean;
  }): Promise<Joined & { welcome: Bytes; ratchetTree: Bytes }> {
    const seat = this.#seats.get(request.stateId);
    const made = await mls.branchGroup(seat.state, {
      ...profile(seat.person),
      ...successor(request.keyPackages, request),
      ...{ rules: rulesFor(seat.psks), groupId: request.groupId, extensions: request.extensions },
    });
    return this.#succeeded(made, seat, request);
  }

  async handleBranch(request: {
    readonly stateId: number;
    readonly transactionId: number;
    readonly welcome: Uint8Array;
    readonly ratchetTree: Uint8Array;
  }): Promise<Joined> {
    const old = this.#seats.get(request.stateId);
    return this.#join({ ...this.#waiting.get(request.transactionId), old }, request, old.encrypt);
  }

  async newMemberAddProposal(request: {
    readonly groupInfo: Uint8Array;
    readonly identity: Uint8Array;
  }): Promise<Omit<CreatedKeyPackage, "keyPackage"> & { proposal: Bytes }> {
    const { groupContext } = mls.decodeMessageOf("mls_group_info", own(request.groupInfo)).groupInfo;
    const person = await newPerson(groupContext.cipherSuite, request.identity);
    const { keyPackage, ...made } = await this.#newKeyPackage(person);
    const decoded = mls.decodeMessageOf("mls_key_package", keyPackage).keyPackage;
    return { ...made, proposal: await mls.createNewMemberProposal(groupContext, decoded, { signer: person.signer }) };
  }

  async createExternalSigner(request: {
    readonly cipherSuite: number;
    readonly identity: Uint8Array;
  }): Promise<{ signerId: number; externalSender: Bytes }> {
    const person = await newPerson(request.cipherSuite, request.identity);
    const sender = { signatureKey: person.signer.publicKey, credential: person.credential };
    const { extensionData } = mls.makeExtension(0, mls.externalSender, sender);
    return { signerId: this.#signers.add(person), externalSender: extensionData };
  }

  /** Proposes to list one more external sender, beside those there are. */
  async addExternalSigner(request: {
    readonly stateId: number;
    readonly externalSender: Uint8Array;
  }): Promise<{ proposal: Bytes }> {
    const { extensions } = this.#seats.get(request.stateId).state.context;
    const type = mls.ExtensionType.externalSenders;
    const before = mls.findExtension(extensions, type);
    const listed = before === undefined ? [] : readSenders(before);
    const added = mls.makeExtension(type, mls.externalSenders, [...listed, readSender(request.externalSender)]);
    const others = extensions.filter(({ extensionType }) => extensionType !== type);
    return this.#propose(request.stateId, {
      proposalType: "groupContextExtensions",
      extensions: [...others, added],
    });
  }

  async externalSignerProposal(request: {
    readonly signerId: number;
    readonly signerIndex: number;
    readonly groupInfo: Uint8Array;
    readonly ratchetTree: Uint8Array;
    readonly description: ProposalDescription;
  }): Promise<{ proposal: Bytes }> {
    const { signer, suite } = this.#signers.get(request.signerId);
    const { groupInfo } = mls.decodeMessageOf("mls_group_info", own(request.groupInfo));
    const observer = await mls.observeGroup(groupInfo, {
      ...{ suite, rules: rulesFor(new Map()) },
      ...(request.ratchetTree.length > 0 && { ratchetTree: request.ratchetTree }),
    });
    const options = { signer, senderIndex: request.signerIndex };
    const proposal = toProposal(observer, request.description);
    return { proposal: await mls.createExternalProposal(groupInfo.groupContext, proposal, options) };
  }
}

const readSender = (bytes: Uint8Array): mls.ExternalSender => {
  const list = mls.codec.encode(mls.codec.opaque, own(bytes));
  const [sender] = readSenders(list);
  if (sender === undefined) throw new TypeError("No external sender was given");
  return sender;
};

const readSenders = (bytes: Uint8Array): readonly mls.ExternalSender[] =>
  mls.codec.decode(mls.externalSenders, own(bytes));

async function newPerson(cipherSuite: number, identity: Uint8Array): Promise<Person> {
  const suite = await mls.getCipherSuite(cipherSuite);
  const { privateKey } = await suite.signature.generateKeyPair();
  const signer = await suite.signature.importSigner(privateKey);
  return { suite, signer, signaturePrivateKey: own(privateKey), credential: mls.basicCredential(own(identity)) };
}

const capabilitiesOf = (): mls.Capabilities => mls.defaultCapabilities(mls.SUPPORTED_CIPHER_SUITES);

/** What key packages and groups of a person say. */
const profile = (
  person: Person,
): Pick<mls.CreateKeyPackageOptions, "suite" | "credential" | "signer" | "lifetime" | "capabilities"> => ({
  suite: person.suite,
  credential: person.credential,
  signer: person.signer,
  lifetime: { notBefore: now() - 3600n, notAfter: now() + 86_400n },
  capabilities: capabilitiesOf(),
});

/** The official runner has no Authentication Service: everybody is who they say. Key packages of others may live for ever. */
const rulesFor = (psks: ReadonlyMap<string, Bytes>): mls.Rules =>
  mls.makeRules({
    authentication: { validate: () => Promise.resolve(), sameIdentity: mls.sameCredential },
    now,
    lifetime: { maxSeconds: 2n ** 64n, checkOnReceive: true },
    allowOutsideProposal: () => Promise.resolve(),
    findPsk: (id) => Promise.resolve(id.pskType === "external" ? psks.get(mls.toHex(id.pskId)) : undefined),
  });

const sending = ({
  person,
  psks,
  encrypt,
}: Seat): Required<Pick<mls.ProposeOptions, "rules" | "signer" | "wireFormat">> => ({
  rules: rulesFor(psks),
  signer: person.signer,
  wireFormat: encrypt ? "mls_private_message" : "mls_public_message",
});

const encodeKeyPackage = ({ keyPackage }: mls.OwnKeyPackage): Bytes =>
  mls.encodeMessage({ wireFormat: "mls_key_package", keyPackage });

const decodeKeyPackage = (bytes: Uint8Array): mls.KeyPackage =>
  mls.decodeMessageOf("mls_key_package", own(bytes)).keyPackage;

const successor = (
  keyPackages: readonly Uint8Array[],
  { forcePath, externalTree }: { readonly forcePath: boolean; readonly externalTree: boolean },
): Pick<mls.SuccessorOptions, "keyPackages" | "forcePath" | "treeInWelcome"> => ({
  keyPackages: keyPackages.map(decodeKeyPackage),
  forcePath,
  treeInWelcome: !externalTree,
});

/** The leaf of whoever has this identity. */
function memberOf({ tree }: Pick<mls.PublicGroupState, "tree">, identity: Uint8Array): mls.LeafIndex {
  for (const [leafIndex, { credential }] of tree.members()) {
    if (credential.credentialType === mls.CredentialType.basic && same(credential.identity, identity)) return leafIndex;
  }
  throw new RangeError("Nobody in the group has this identity");
}

/** What a description says; in a private place of its own for each group. */
function toProposal(
  state: Pick<mls.PublicGroupState, "tree" | "suite" | "context">,
  description: ProposalDescription,
): Exclude<mls.Proposal, { proposalType: 2 }> {
  const pskNonce = mls.randomBytes(state.suite.hash.Nh);
  const extensions = (description.extensions ?? []).map(({ extensionType, extensionData }) => ({
    extensionType,
    extensionData: own(extensionData),
  }));
  switch (description.proposalType) {
    case "add":
      return { proposalType: 1, keyPackage: decodeKeyPackage(description.keyPackage ?? EMPTY) };
    case "remove":
      return { proposalType: 3, removed: memberOf(state, description.removedId ?? EMPTY) };
    case "externalPSK":
      return { proposalType: 4, psk: { pskType: "external", pskId: own(description.pskId ?? EMPTY), pskNonce } };
    case "resumptionPSK": {
      const { groupId: pskGroupId } = state.context;
      const pskEpoch = description.epochId ?? 0n;
      return { proposalType: 4, psk: { pskType: "resumption", usage: "application", pskGroupId, pskEpoch, pskNonce } };
    }
    case "groupContextExtensions":
      return { proposalType: 7, extensions };
    case "reinit": {
      const groupId = own(description.groupId ?? EMPTY);
      const cipherSuite = description.cipherSuite ?? state.suite.id;
      return { proposalType: 5, groupId, version: 1, cipherSuite, extensions };
    }
    default:
      throw new TypeError(`There is no proposal type ${description.proposalType}`);
  }
}
