import { equalBytes, fromHex } from "../../src/codec/bytes.ts";
import { encode } from "../../src/codec/codec.ts";
import type { CipherSuite } from "../../src/crypto/cipher-suite.ts";
import { decodeMessageOf } from "../../src/framing/mls-message.ts";
import type { GroupState } from "../../src/state/group-state.ts";
import { joinGroup } from "../../src/group/join.ts";
import { processMessage } from "../../src/group/receive.ts";
import type { OwnKeyPackage } from "../../src/framing/key-package.ts";
import { assembleOwnKeyPackage, keyPackage as keyPackageCodec } from "../../src/framing/key-package.ts";
import type { Rules } from "../../src/rules.ts";
import { makeRules } from "../../src/rules.ts";
import type { Case, Format } from "../case.ts";
import { Case as VectorCase, expectBytes, expectKeyPair } from "../case.ts";

/** Rules that know the PSKs of a vector. */
export function rulesFor(vector: Case): Rules {
  const psks = vector.objects("external_psks").map((psk) => ({ id: psk.hex("psk_id"), value: psk.hex("psk") }));
  return makeRules({
    authentication: { validate: () => Promise.resolve() },
    now: () => 0n,
    // The leaves of the vectors have expired (R-7.3-8), and some never would have.
    lifetime: { maxSeconds: 2n ** 64n, checkOnReceive: false },
    findPsk: (id) =>
      Promise.resolve(id.pskType === "external" ? psks.find((psk) => equalBytes(psk.id, id.pskId))?.value : undefined),
  });
}

/** The key package of a vector, with its private keys. */
export async function readKeyPackage(suite: CipherSuite, vector: Case): Promise<OwnKeyPackage> {
  const { keyPackage } = decodeMessageOf("mls_key_package", vector.hex("key_package"));
  const signer = await suite.signature.importSigner(
    vector.privateKey("signature_priv", suite.signature.privateKeyLength),
  );
  expectBytes("signature key", signer.publicKey, keyPackage.leafNode.signatureKey);
  const init = { publicKey: keyPackage.initKey, privateKey: vector.privateKey("init_priv", suite.hpke.Nsk) };
  const encryption = {
    publicKey: keyPackage.leafNode.encryptionKey,
    privateKey: vector.privateKey("encryption_priv", suite.hpke.Nsk),
  };
  await expectKeyPair(suite, init);
  await expectKeyPair(suite, encryption);
  expectBytes("key package", encode(keyPackageCodec, keyPackage), vector.hex("key_package").slice(4));
  return assembleOwnKeyPackage(suite, keyPackage, init, encryption);
}

async function verify(vector: Case, suites: (id: number) => Promise<CipherSuite>): Promise<void> {
  const suite = await suites(vector.number("cipher_suite"));
  const rules = rulesFor(vector);
  const keyPackage = await readKeyPackage(suite, vector);
  const { welcome } = decodeMessageOf("mls_welcome", vector.hex("welcome"));
  const ratchetTree = vector.optionalHex("ratchet_tree");
  let { state }: { state: GroupState } = await joinGroup(welcome, {
    suite,
    rules,
    keyPackage,
    ...(ratchetTree && { ratchetTree }),
  });
  expectBytes(
    "initial_epoch_authenticator",
    state.secrets.epochAuthenticator,
    vector.hex("initial_epoch_authenticator"),
  );
  for (const [i, epoch] of vector
    .array("epochs")
    .map((value) => new VectorCase(value))
    .entries()) {
    for (const message of [...epoch.array("proposals"), epoch.text("commit")]) {
      ({ state } = await processMessage(state, fromHex(String(message)), { rules }));
    }
    expectBytes(`epoch_authenticator ${String(i)}`, state.secrets.epochAuthenticator, epoch.hex("epoch_authenticator"));
  }
}

/** The three files of passive clients have one format. */
export const passiveClients: readonly Format[] = [
  "passive-client-welcome",
  "passive-client-handling-commit",
  "passive-client-random",
].map((name) => ({ name, fields: ["initial_epoch_authenticator", "epochs"], verify }));
