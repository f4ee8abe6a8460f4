/** GREASE (RFC 9420 §13.5): random unknown values, so that peers stay able to ignore what they do not know. */
import { randomBytes } from "./crypto/platform.ts";
import type { Extension } from "./extension.ts";
import type { Capabilities } from "./tree/capabilities.ts";

/** 0x0A0A, 0x1A1A, … 0xEAEA: 15 values. */
const GREASE: readonly number[] = Array.from({ length: 15 }, (_, i) => 0x0a0a + i * 0x1010);

export const isGrease = (value: number): boolean => GREASE.includes(value);

function pick(): number {
  const [byte = 0] = randomBytes(1);
  return GREASE[byte % GREASE.length] ?? 0x0a0a;
}

/** Capabilities with one random value in every list that may have it; `versions` stays as it is. */
export function withGreaseCapabilities(own: Capabilities): Capabilities {
  return {
    versions: own.versions,
    cipherSuites: [...own.cipherSuites, pick()],
    extensions: [...own.extensions, pick()],
    proposals: [...own.proposals, pick()],
    credentials: [...own.credentials, pick()],
  };
}

/** For the extensions of a KeyPackage or GroupInfo; leaf extensions would have to be mirrored in capabilities (R-13.5-2). */
export function withGreaseExtension(list: readonly Extension[]): readonly Extension[] {
  return [...list, { extensionType: pick(), extensionData: randomBytes(4) }];
}
