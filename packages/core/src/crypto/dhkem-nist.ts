/** DHKEM of the NIST curves (RFC 9180 §4.1), by hpke-js. */
import { DhkemP256HkdfSha256, DhkemP384HkdfSha384, DhkemP521HkdfSha512 } from "@hpke/core";
import type { Kernel } from "@coppice/wasm";
import type { Kem } from "./hpke.ts";
import { hpkeJsKem } from "./hpke-js-kem.ts";
import { isNistPoint } from "./nist-point.ts";
import { type NistCurveName, deriveNistPrivateKey, NIST_CURVES } from "./nist-private-key.ts";

export function dhkemNist(kernel: Kernel, name: NistCurveName): Kem {
  const [kem, hash] = {
    "P-256": [new DhkemP256HkdfSha256(), kernel.sha256] as const,
    "P-384": [new DhkemP384HkdfSha384(), kernel.sha384] as const,
    "P-521": [new DhkemP521HkdfSha512(), kernel.sha512] as const,
  }[name];
  const curve = NIST_CURVES[name];
  return hpkeJsKem(kem, {
    Nsk: curve.order.length,
    isPublicKey: (publicKey) => isNistPoint(name, publicKey),
    derivePrivateKey: (secret) => deriveNistPrivateKey(hash, curve, secret),
  });
}
