/** GREASE (RFC 9420 §13.5): random unknown values, so that peers stay able to ignore what they do not know. */
import { randomBytes } from "@coppice/kit";
import type { Extension } from "./extension.ts";
import type { Capabilities } from "./capabilities.ts";

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

/**
 * For the extensions of a GroupInfo, or of a KeyPackage: those have to be in its leaf's capabilities (R-10-7), which hold a
 * random value already. Leaf extensions stay without (R-13.5-2).
 */
export function withGreaseExtension(list: readonly Extension[], capabilities?: Capabilities): readonly Extension[] {
  const extensionType = capabilities?.extensions.find((type) => GREASE.includes(type)) ?? pick();
  return [...list, { extensionType, extensionData: randomBytes(4) }];
}
