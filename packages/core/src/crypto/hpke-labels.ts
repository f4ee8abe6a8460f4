/** `LabeledExtract` and `LabeledExpand` of HPKE (RFC 9180 §4), on the kernel. */
import type { HashKernel } from "@coppice/wasm";
import { type Bytes, concat, erase, utf8 } from "../codec/bytes.ts";

export interface LabeledKdf {
  readonly extract: (salt: Bytes, label: string, ikm: Bytes) => Bytes;
  readonly expand: (prk: Bytes, label: string, info: Bytes, length: number) => Bytes;
}

const VERSION = utf8("HPKE-v1");

/** Two bytes, big-endian. */
export const uint16Bytes = (value: number): Bytes => Uint8Array.of(value >>> 8, value & 0xff);

/** `suiteId` tells the KEM's derivations from those of the key schedule. */
export function labeledKdf(hash: HashKernel, suiteId: Bytes): LabeledKdf {
  return {
    extract: (salt, label, ikm) => {
      const labelled = concat(VERSION, suiteId, utf8(label), ikm);
      const prk = hash.extract(salt, labelled);
      erase(labelled);
      return prk;
    },
    expand: (prk, label, info, length) =>
      hash.expand(prk, concat(uint16Bytes(length), VERSION, suiteId, utf8(label), info), length),
  };
}
