/** Ed25519 on noble. */
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import type { PlatformEddsa } from "./eddsa-encodings.ts";
import { eddsaOnNoble } from "./eddsa-noble.ts";

export const ed25519OnNoble = (): PlatformEddsa =>
  eddsaOnNoble({ name: "Ed25519", publicKeyLength: 32, curve: ed25519, hash: sha512 });
