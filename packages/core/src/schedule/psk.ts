/** Pre-shared keys (RFC 9420 §8.4). */
import { assertBytes } from "@coppice/kit";
import { type Bytes, erase } from "../codec/bytes.ts";
import { type Codec, closedEnum, encode, opaque, select, struct, uint16, uint64, uint8 } from "../codec/codec.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { CoppiceError } from "../errors.ts";

export type ResumptionPskUsage = "application" | "reinit" | "branch";

/**
 * ```tls
 * struct {
 *   PSKType psktype;
 *   select (PreSharedKeyID.psktype) {
 *     case external:   opaque psk_id<V>;
 *     case resumption: ResumptionPSKUsage usage; opaque psk_group_id<V>; uint64 psk_epoch;
 *     case application: ComponentID component_id; opaque psk_id<V>;
 *   };
 *   opaque psk_nonce<V>;
 * } PreSharedKeyID;
 * ```
 * `application` is of draft-ietf-mls-extensions: a group that does not use it never asks for one.
 */
export type PreSharedKeyId =
  | { readonly pskType: "external"; readonly pskId: Bytes; readonly pskNonce: Bytes }
  | {
      readonly pskType: "resumption";
      readonly usage: ResumptionPskUsage;
      readonly pskGroupId: Bytes;
      readonly pskEpoch: bigint;
      readonly pskNonce: Bytes;
    }
  | {
      readonly pskType: "application";
      /** uint16 */
      readonly componentId: number;
      readonly pskId: Bytes;
      readonly pskNonce: Bytes;
    };

export const preSharedKeyId: Codec<PreSharedKeyId> = select<"pskType", PreSharedKeyId["pskType"], PreSharedKeyId>(
  "pskType",
  closedEnum(uint8, { external: 1, resumption: 2, application: 3 }),
  {
    external: struct({ pskId: opaque, pskNonce: opaque }),
    resumption: struct({
      usage: closedEnum<ResumptionPskUsage>(uint8, { application: 1, reinit: 2, branch: 3 }),
      pskGroupId: opaque,
      pskEpoch: uint64,
      pskNonce: opaque,
    }),
    application: struct({ componentId: uint16, pskId: opaque, pskNonce: opaque }),
  },
);

/** A pre-shared key with its value. */
export interface PreSharedKey {
  readonly id: PreSharedKeyId;
  /** Secret. */
  readonly psk: Uint8Array;
}

/** Whether a value was found. A resumption PSK that is empty was erased: whoever took it for one would agree with everybody. */
export function isKnownPsk(id: PreSharedKeyId, psk: Uint8Array | undefined): psk is Uint8Array {
  if (psk === undefined) return false;
  assertBytes(psk, "the value of a pre-shared key");
  return psk.length > 0 || id.pskType !== "resumption";
}

/** `struct { PreSharedKeyID id; uint16 index; uint16 count; } PSKLabel;` */
const pskLabel: Codec<{ id: PreSharedKeyId; index: number; count: number }> = struct({
  id: preSharedKeyId,
  index: uint16,
  count: uint16,
});

/** The index and count of a PSKLabel are uint16. */
const MAX_PSKS = 2 ** 16 - 1;

/**
 * `psk_secret` over PSKs in the order of the Commit's proposals (R-8.4-3): `Nh` bytes, zero for none.
 * `ERR_MLS_LIMIT` for more than 65,535.
 */
export function computePskSecret(suite: CipherSuite, psks: readonly PreSharedKey[]): Bytes {
  if (psks.length > MAX_PSKS) {
    throw new CoppiceError("ERR_MLS_LIMIT", `A Commit has at most ${String(MAX_PSKS)} pre-shared keys`, {
      detail: { psks: psks.length },
    });
  }
  const { hash } = suite;
  const zero = new Uint8Array(hash.Nh);
  let pskSecret: Bytes = zero;
  for (const [index, { id, psk }] of psks.entries()) {
    const extracted = hash.extract(zero, psk);
    const label = encode(pskLabel, { id, index, count: psks.length });
    const input = hash.expandWithLabel(extracted, "derived psk", label, hash.Nh);
    // The input is the salt, the chain is the keying material (T-2).
    const next = hash.extract(input, pskSecret);
    erase(extracted, input, pskSecret);
    pskSecret = next;
  }
  return pskSecret;
}
