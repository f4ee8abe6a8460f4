/** The life of a group with one cipher suite, on whatever cryptography an engine has. Throws where members disagree. */
import * as mls from "../../src/index.ts";

const NOW = 1_800_000_000n;
const LIFETIME = { notBefore: NOW - 3600n, notAfter: NOW + 86_400n };
const PSK = { pskId: mls.utf8("a shared secret"), psk: mls.utf8("thirty-two bytes of shared secret") };

const rules = mls.makeRules({
  authentication: { validate: () => Promise.resolve() },
  now: () => NOW,
  findPsk: (id) =>
    Promise.resolve(id.pskType === "external" && mls.equalBytes(id.pskId, PSK.pskId) ? PSK.psk : undefined),
});

function assert(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

class Client {
  readonly #suite: mls.CipherSuite;
  readonly #signer: mls.Signer;
  readonly #credential: mls.Credential;
  state: mls.GroupState | undefined;

  private constructor(suite: mls.CipherSuite, signer: mls.Signer, name: string) {
    this.#suite = suite;
    this.#signer = signer;
    this.#credential = mls.basicCredential(name);
  }

  static async create(suite: mls.CipherSuite, name: string): Promise<Client> {
    const { privateKey } = await suite.signature.generateKeyPair();
    return new Client(suite, await suite.signature.importSigner(privateKey), name);
  }

  get #self() {
    const capabilities = mls.defaultCapabilities([this.#suite.id]);
    return { suite: this.#suite, rules, signer: this.#signer, credential: this.#credential, capabilities };
  }

  get current(): mls.GroupState {
    if (this.state === undefined) throw new Error("not in the group");
    return this.state;
  }

  async found(): Promise<void> {
    this.state = await mls.createGroup({ ...this.#self, lifetime: LIFETIME });
  }

  keyPackage(): Promise<mls.OwnKeyPackage> {
    return mls.createKeyPackage({ ...this.#self, lifetime: LIFETIME });
  }

  async join(welcome: mls.Bytes | undefined, keyPackage: mls.OwnKeyPackage): Promise<void> {
    if (welcome === undefined) throw new Error("there is no Welcome");
    const decoded = mls.decodeMessageOf("mls_welcome", welcome).welcome;
    this.state = (await mls.joinGroup(decoded, { suite: this.#suite, rules, keyPackage })).state;
  }

  async joinFromOutside(member: Client): Promise<mls.Bytes> {
    const info = await mls.createGroupInfo(member.current, member.#signer);
    const joined = await mls.createExternalCommit(info, { ...this.#self, psks: [PSK] });
    this.state = joined.state;
    return joined.commit;
  }

  async send(text: string): Promise<mls.Bytes> {
    const sent = await mls.createApplicationMessage(this.current, mls.utf8(text), { rules, signer: this.#signer });
    this.state = sent.state;
    mls.erase(...sent.consumed);
    return sent.message;
  }

  async propose(proposal: Parameters<typeof mls.createProposal>[1] | "update"): Promise<mls.Bytes> {
    const options = { rules, signer: this.#signer };
    const sent = await (proposal === "update"
      ? mls.createUpdateProposal(this.current, options)
      : mls.createProposal(this.current, proposal, options));
    this.state = sent.state;
    return sent.message;
  }

  async commit(options: Partial<mls.CreateCommitOptions> = {}): Promise<mls.StagedCommit> {
    const made = await mls.createCommit(this.current, { rules, signer: this.#signer, ...options });
    this.state = mls.adoptCommit(made.state, made.staged, rules).state;
    return made.staged;
  }

  async receive(message: mls.Bytes): Promise<mls.ReceivedMessage> {
    const received = await mls.processMessage(this.current, message, { rules });
    this.state = received.state;
    mls.erase(...received.consumed);
    return received;
  }
}

async function expectText(receiver: Client, message: mls.Bytes, text: string): Promise<void> {
  const received = await receiver.receive(message);
  const said = received.kind === "application" ? new TextDecoder().decode(received.data) : received.kind;
  assert(said === text, `"${said}" instead of "${text}"`);
}

function expectAgreement(...clients: readonly Client[]): void {
  const request = { label: "scenario", context: mls.utf8("context"), length: 48 };
  const shown = clients.map(({ current }) => {
    const { context, secrets, suite, tree } = current;
    return [
      String(context.epoch),
      mls.toHex(secrets.epochAuthenticator),
      mls.toHex(tree.treeHash(suite.hash)),
      mls.toHex(mls.exportSecret(current, request)),
    ].join();
  });
  assert(new Set(shown).size === 1, "the members disagree");
}

/** Create, add, talk, update, external PSK, external join, remove, export; each epoch compared between all members. */
export async function playScenario(id: number, kernel: "wasm" | "noble"): Promise<void> {
  const suite = await mls.getCipherSuite(id, { kernel });
  const create = (name: string): Promise<Client> => Client.create(suite, name);
  const [alice, bob, carol, dave] = await Promise.all([
    create("alice"),
    create("bob"),
    create("carol"),
    create("dave"),
  ]);

  await alice.found();
  const [bobs, carols] = [await bob.keyPackage(), await carol.keyPackage()];
  const proposals = [bobs, carols].map(
    ({ keyPackage }) => ({ proposalType: mls.ProposalType.add, keyPackage }) as const,
  );
  const { welcome } = await alice.commit({ proposals });
  await bob.join(welcome, bobs);
  await carol.join(welcome, carols);
  expectAgreement(alice, bob, carol);
  await expectText(bob, await alice.send("from alice"), "from alice");
  await expectText(alice, await bob.send("from bob"), "from bob");

  const update = await carol.propose("update");
  for (const other of [alice, bob]) await other.receive(update);
  const updated = await bob.commit();
  for (const other of [alice, carol]) await other.receive(updated.commit);
  expectAgreement(alice, bob, carol);

  const pskNonce = mls.randomBytes(suite.hash.Nh);
  const psk = { pskType: "external", pskId: PSK.pskId, pskNonce } as const;
  const keyed = await alice.commit({ proposals: [{ proposalType: mls.ProposalType.psk, psk }], forcePath: true });
  for (const other of [bob, carol]) await other.receive(keyed.commit);
  expectAgreement(alice, bob, carol);

  const joining = await dave.joinFromOutside(alice);
  for (const member of [alice, bob, carol]) await member.receive(joining);
  expectAgreement(alice, bob, carol, dave);
  await expectText(carol, await dave.send("from dave"), "from dave");

  const removed = carol.current.leafIndex;
  const removal = await dave.commit({ proposals: [{ proposalType: mls.ProposalType.remove, removed }] });
  for (const member of [alice, bob]) await member.receive(removal.commit);
  await carol.receive(removal.commit);
  assert(carol.current.status === "removed", "carol is still there");
  expectAgreement(alice, bob, dave);
  await expectText(dave, await bob.send("without carol"), "without carol");
}
