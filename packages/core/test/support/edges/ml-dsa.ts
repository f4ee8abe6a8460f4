/** Edge cases of ML-DSA (FIPS 204): a signature's hint has one encoding (algorithm 21), and the context is empty. */
import { ml_dsa44, ml_dsa65, ml_dsa87 } from "@noble/post-quantum/ml-dsa.js";
import { type Bytes, utf8 } from "../../../src/codec/bytes.ts";
import { PQ_CODE_POINTS } from "../../../src/drafts/pq.ts";
import type { SignatureEdge } from "./case.ts";

const message = utf8("message");

interface Parameters {
  readonly suite: number;
  readonly scheme: typeof ml_dsa44;
  /** Most indices of a hint; they stand before the counts, one for each of k polynomials, at the end of the signature. */
  readonly omega: number;
  readonly k: number;
}

function edgesOf({ suite, scheme, omega, k }: Parameters): SignatureEdge[] {
  const { publicKey, secretKey } = scheme.keygen(new Uint8Array(32).fill(3));
  const sign = (context?: Bytes): Bytes =>
    new Uint8Array(scheme.sign(message, secretKey, { extraEntropy: false, ...(context && { context }) }));
  const genuine = sign();
  const hint = genuine.length - omega - k;
  const countOf = (polynomial: number): number => genuine[hint + omega + polynomial] ?? 0;
  const used = countOf(k - 1);
  if (used >= omega || countOf(0) < 2) throw new RangeError("the signature's hint is not one to be edited");

  const edge = (title: string, valid: boolean, edits: Readonly<Record<number, number>> = {}): SignatureEdge => ({
    ...{ suite, title, valid, message, publicKey: new Uint8Array(publicKey) },
    signature: genuine.map((byte, i) => edits[i - hint] ?? byte),
  });
  const [first = 0, second = 0] = genuine.subarray(hint);
  return [
    edge("as it was made", true),
    edge("with a byte after the last index of its hint", false, { [used]: 1 }),
    edge("with two indices in the other order", false, { 0: second, 1: first }),
    edge("with one index twice", false, { 1: first }),
    edge("with more indices than there may be", false, { [omega + k - 1]: omega + 1 }),
    edge("with fewer indices at the second polynomial than at the first", false, { [omega + 1]: countOf(0) - 1 }),
    { ...edge("with a context that is not empty", false), signature: sign(utf8("context")) },
  ];
}

export const ML_DSA_SIGNATURES: readonly SignatureEdge[] = [
  {
    ...{ scheme: ml_dsa44, omega: 80, k: 4 },
    suite: PQ_CODE_POINTS.MLS_128_MLKEM768X25519_CHACHA20POLY1305_SHA384_MLDSA44,
  },
  { ...{ scheme: ml_dsa65, omega: 55, k: 6 }, suite: PQ_CODE_POINTS.MLS_192_MLKEM768_AES256GCM_SHA384_MLDSA65 },
  { ...{ scheme: ml_dsa87, omega: 75, k: 8 }, suite: PQ_CODE_POINTS.MLS_256_MLKEM1024_AES256GCM_SHA384_MLDSA87 },
].flatMap(edgesOf);
