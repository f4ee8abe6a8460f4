/**
 * A group of two for the examples in the documentation of `@coppice/core`: Alice founded it and added Bob. The guide
 * (docs/guide.md) shows step by step how it comes about.
 */
import * as mls from "@coppice/core";

/** Cipher suite 1. */
export const suite: mls.CipherSuite = await mls.getCipherSuite(0x0001);

/** What the application decides. These trust everybody: an application asks its directory, and tells its own time. */
export const rules: mls.Rules = mls.makeRules({
  authentication: { validate: () => Promise.resolve() },
  now: () => BigInt(Math.floor(Date.now() / 1000)),
});

/** Valid for a day. */
export const lifetime: mls.Lifetime = { notBefore: rules.now() - 3600n, notAfter: rules.now() + 86_400n };

export const capabilities: mls.Capabilities = mls.defaultCapabilities([suite.id]);

/** A client of the examples. */
export interface Person {
  readonly credential: mls.Credential;
  readonly signer: mls.Signer;
}

export async function makePerson(name: string): Promise<Person> {
  const { privateKey } = await suite.signature.generateKeyPair();
  return { credential: mls.basicCredential(name), signer: await suite.signature.importSigner(privateKey) };
}

/** A fresh key package, with its private keys. */
export function makeKeyPackage(person: Person): Promise<mls.OwnKeyPackage> {
  return mls.createKeyPackage({ ...person, suite, lifetime, capabilities });
}

const [alicesKeys, bobsKeys] = [await makePerson("alice"), await makePerson("bob")];
const founded = await mls.createGroup({ ...alicesKeys, suite, rules, lifetime, capabilities });
const bobsPackage = await makeKeyPackage(bobsKeys);
const added = await mls.createCommit(founded, {
  rules,
  signer: alicesKeys.signer,
  proposals: [{ proposalType: mls.ProposalType.add, keyPackage: bobsPackage.keyPackage }],
});
if (added.staged.welcome === undefined) throw new Error("an Add makes a Welcome");
const { welcome } = mls.decodeMessageOf("mls_welcome", added.staged.welcome);
const joined = await mls.joinGroup(welcome, { suite, rules, keyPackage: bobsPackage });

/** Alice, who founded the group. */
export const alice: Person & { readonly state: mls.GroupState } = {
  ...alicesKeys,
  state: mls.adoptCommit(added.state, added.staged, rules).state,
};

/** Bob, whom Alice added. */
export const bob: Person & { readonly state: mls.GroupState } = { ...bobsKeys, state: joined.state };
