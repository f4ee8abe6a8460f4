/** `SHAKE256.LabeledDerive` of the KEMs of draft-ietf-hpke-pq §5 (draft-ietf-hpke-hpke §4), from which their key pairs are derived. */
import { shake256 } from "@noble/hashes/sha3.js";
import { type Bytes, concat, erase, utf8 } from "../codec/bytes.ts";
import { uint16Bytes } from "./hpke-labels.ts";

/** `LabeledDerive(ikm, "DeriveKeyPair", "", length)` of the KEM with this number. */
export function deriveSeed(kemId: number, ikm: Bytes, length: number): Bytes {
  const label = utf8("DeriveKeyPair");
  const suiteId = concat(utf8("KEM"), uint16Bytes(kemId));
  const labelled = concat(ikm, utf8("HPKE-v1"), suiteId, uint16Bytes(label.length), label, uint16Bytes(length));
  const seed = new Uint8Array(shake256(labelled, { dkLen: length }));
  erase(labelled);
  return seed;
}
