/** DHKEM(X448, HKDF-SHA512) (RFC 9180 §4.1), by hpke-js. */
import { DhkemX448HkdfSha512 } from "@hpke/dhkem-x448";
import type { Kem } from "./hpke.ts";
import { hpkeJsKem } from "./hpke-js-kem.ts";

export const dhkemX448 = (): Kem =>
  hpkeJsKem(new DhkemX448HkdfSha512(), { Nsk: 56, isPublicKey: (publicKey) => publicKey.length === 56 });
