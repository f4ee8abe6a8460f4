/** Groups whose members have X.509 credentials. */
import { expect, test } from "vitest";
import type { Bytes, CipherSuite, Credential, GroupState, Rules, Signer } from "@coppice/core";
import * as mls from "@coppice/core";
import { x509Authentication } from "../src/index.ts";
import { Authority, generateSigner, NOW } from "./support/authority.ts";

const root = await Authority.root("root");
const office = await root.authority("office");

const now = (): bigint => NOW;
const rules: Rules = mls.makeRules({
  authentication: x509Authentication({ trustAnchors: [root.certificate], intermediates: [office.certificate], now }),
  now,
});
const lifetime = { notBefore: NOW - 3600n, notAfter: NOW + 86_400n };

interface Person {
  readonly credential: Credential;
  readonly signer: Signer;
}

const x509 = (...certificates: readonly Bytes[]): Credential => ({
  credentialType: mls.CredentialType.x509,
  certificates,
});

async function makePerson(suite: CipherSuite, name: string): Promise<Person> {
  const { signer, publicKey } = await generateSigner(suite);
  return { signer, credential: x509(await office.issue(name, publicKey)) };
}

/** Alice's and Bob's states, once she has founded a group and added him. */
async function makeGroup(suite: CipherSuite, alice: Person, bob: Person): Promise<[GroupState, GroupState]> {
  const capabilities = { ...mls.defaultCapabilities([suite.id]), credentials: [mls.CredentialType.x509] };
  const founded = await mls.createGroup({ ...alice, suite, rules, lifetime, capabilities });
  const keyPackage = await mls.createKeyPackage({ ...bob, suite, lifetime, capabilities });
  const added = await mls.createCommit(founded, {
    rules,
    signer: alice.signer,
    proposals: [{ proposalType: mls.ProposalType.add, keyPackage: keyPackage.keyPackage }],
  });
  if (added.staged.welcome === undefined) throw new Error("an Add makes a Welcome");
  const { welcome } = mls.decodeMessageOf("mls_welcome", added.staged.welcome);
  const joined = await mls.joinGroup(welcome, { suite, rules, keyPackage });
  return [mls.adoptCommit(added.state, added.staged, rules).state, joined.state];
}

const expectAgreement = (a: GroupState, b: GroupState): void => {
  expect(a.secrets.epochAuthenticator).toEqual(b.secrets.epochAuthenticator);
};

test.each([1, 2])("R-5.3-2, R-5.3.1-8: members of a group renew their certificates, in suite %i", async (id) => {
  const suite = await mls.getCipherSuite(id);
  const [alice, bob] = [await makePerson(suite, "alice"), await makePerson(suite, "bob")];
  let [alicesState, bobsState] = await makeGroup(suite, alice, bob);
  expectAgreement(alicesState, bobsState);

  // A renewed certificate for a new key, with the issuer in the chain this time.
  const next = await generateSigner(suite);
  const renewed = x509(await office.issue("alice", next.publicKey), office.certificate);
  const renewal = await mls.createCommit(alicesState, {
    rules,
    signer: alice.signer,
    leaf: { credential: renewed, signer: next.signer },
  });
  const seen = await mls.processMessage(bobsState, renewal.staged.commit, { rules });
  if (seen.kind !== "commit") throw new Error("a Commit is expected");
  expect(new Map(seen.state.tree.members()).get(alicesState.leafIndex)?.credential).toEqual(renewed);
  alicesState = mls.adoptCommit(renewal.state, renewal.staged, rules).state;
  bobsState = seen.state;
  expectAgreement(alicesState, bobsState);

  // Alice's software lets everything pass, Bob's does not.
  const lax = mls.makeRules({
    authentication: { validate: () => Promise.resolve(), sameIdentity: () => true },
    now,
  });
  const thief = await generateSigner(suite);
  const before = mls.encodeGroupState(bobsState);
  for (const [certificate, requirement, cause] of [
    [await office.issue("carol", thief.publicKey), "R-5.3.1-8", { requirement: "R-5.3.1-8" }],
    [await office.issue("alice", next.publicKey), "R-5.3.1-8", { requirement: "R-5.3-2" }],
  ] as const) {
    const forged = await mls.createCommit(alicesState, {
      rules: lax,
      signer: next.signer,
      leaf: { credential: x509(certificate), signer: thief.signer },
    });
    const attempt = mls.processMessage(bobsState, forged.staged.commit, { rules });
    await expect(attempt).rejects.toMatchObject({ code: "ERR_MLS_CREDENTIAL", requirement, cause });
    expect(mls.encodeGroupState(bobsState)).toEqual(before);
  }

  const kept = await mls.createCommit(alicesState, { rules, signer: next.signer, forcePath: true });
  const followed = await mls.processMessage(bobsState, kept.staged.commit, { rules });
  expectAgreement(mls.adoptCommit(kept.state, kept.staged, rules).state, followed.state);
});

test("R-5.3-2: a key package whose key is not the certificate's is not added", async () => {
  const suite = await mls.getCipherSuite(1);
  const [alice, bob] = [await makePerson(suite, "alice"), await makePerson(suite, "bob")];
  const thief = { ...bob, signer: (await generateSigner(suite)).signer };
  await expect(makeGroup(suite, alice, thief)).rejects.toMatchObject({
    code: "ERR_MLS_CREDENTIAL",
    requirement: "R-5.3.1-1",
    cause: { requirement: "R-5.3-2" },
  });
});
