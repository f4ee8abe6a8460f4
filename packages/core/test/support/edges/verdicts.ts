/** Whether a platform's verdicts are ours. For unit tests, and for engines. */
import type { CipherSuite } from "../../../src/crypto/cipher-suite.ts";
import type { KeyEdge, SignatureEdge } from "./case.ts";
import { EDDSA_KEYS, EDDSA_SIGNATURES } from "./eddsa.ts";
import { MONTGOMERY_KEYS } from "./montgomery.ts";
import { NIST_KEYS, NIST_SIGNATURES } from "./nist.ts";

export const SIGNATURE_EDGES: readonly SignatureEdge[] = [...EDDSA_SIGNATURES, ...NIST_SIGNATURES];
export const KEY_EDGES: readonly KeyEdge[] = [...EDDSA_KEYS, ...NIST_KEYS, ...MONTGOMERY_KEYS];

/**
 * The suite's verdict on a signature, alone and among others: platforms verify many in another way, and the kernel has a table of a key
 * that it meets for the fourth time.
 */
export async function judgeSignature(
  { signature: scheme }: CipherSuite,
  { publicKey, message, signature }: SignatureEdge,
): Promise<boolean> {
  const alone = await scheme.verify(publicKey, message, signature);
  const together = await Promise.all([0, 1, 2, 3].map(() => scheme.verify(publicKey, message, signature)));
  if (together.some((verdict) => verdict !== alone)) throw new Error("verdicts alone and together differ");
  return alone;
}

/** The suite's verdict on a key that somebody else chose, where keys are validated and where they are used. */
export async function judgeKey({ signature, hpke }: CipherSuite, { use, publicKey }: KeyEdge): Promise<boolean> {
  if (use === "signature") return signature.isPublicKey(publicKey);
  const accepts = (attempt: Promise<unknown>): Promise<boolean> =>
    attempt.then(
      () => true,
      () => false,
    );
  const own = await hpke.generateKeyPair();
  const none = new Uint8Array(0);
  const verdicts = await Promise.all([
    accepts(hpke.validatePublicKey(publicKey)),
    accepts(hpke.sealer(none)(publicKey, none)),
    accepts(hpke.sendExport(publicKey, none, 32)),
    accepts(hpke.receiveExport(own, publicKey, none, 32)),
  ]);
  if (new Set(verdicts).size > 1) throw new Error(`a key is judged in different ways: ${verdicts.join()}`);
  return verdicts[0];
}
