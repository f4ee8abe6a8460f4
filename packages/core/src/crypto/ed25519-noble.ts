/** Ed25519 on noble. */
import { ed25519 } from "@noble/curves/ed25519.js";
import { eddsaOnNoble } from "./eddsa-noble.ts";
import type { SignatureScheme } from "./signature.ts";

export const ed25519OnNoble = (): SignatureScheme => eddsaOnNoble("Ed25519", 32, ed25519);
