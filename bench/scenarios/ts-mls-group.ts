/** The same group of two with ts-mls, following its README. */
import type { CiphersuiteImpl, ClientState, KeyPackage, PrivateKeyPackage } from "ts-mls";
import * as tsMls from "ts-mls";

export interface TsMlsGroup {
  readonly suite: CiphersuiteImpl;
  readonly creator: ClientState;
  readonly joiner: ClientState;
}

export async function foundTsMlsGroup(): Promise<TsMlsGroup> {
  const suite = await tsMls.getCiphersuiteImpl(
    tsMls.getCiphersuiteFromName("MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519"),
  );
  const member = (name: string): Promise<{ publicPackage: KeyPackage; privatePackage: PrivateKeyPackage }> =>
    tsMls.generateKeyPackage(
      { credentialType: "basic", identity: new TextEncoder().encode(name) },
      tsMls.defaultCapabilities(),
      tsMls.defaultLifetime,
      [],
      suite,
    );
  const [alice, bob] = [await member("alice"), await member("bob")];
  const groupId = new TextEncoder().encode("bench");
  const founded = await tsMls.createGroup(groupId, alice.publicPackage, alice.privatePackage, [], suite);
  const committed = await tsMls.createCommit(
    { state: founded, cipherSuite: suite },
    { extraProposals: [{ proposalType: "add", add: { keyPackage: bob.publicPackage } }] },
  );
  if (committed.welcome === undefined) throw new Error("no Welcome");
  const { newState: creator, welcome } = committed;
  const joiner = await tsMls.joinGroup(
    welcome,
    bob.publicPackage,
    bob.privatePackage,
    tsMls.emptyPskIndex,
    suite,
    creator.ratchetTree,
  );
  return { suite, creator, joiner };
}
