/** Ed448 (RFC 8032) on noble: browsers do not have it. */
import { ed448 as curve } from "@noble/curves/ed448.js";
import { eddsaOnNoble } from "./eddsa-noble.ts";
import type { SignatureScheme } from "./signature.ts";

export const ed448 = (): SignatureScheme => eddsaOnNoble("Ed448", 57, curve);
