/** Ed448 (RFC 8032) on noble: browsers do not have it. */
import { ed448 as curve } from "@noble/curves/ed448.js";
import { shake256 } from "@noble/hashes/sha3.js";
import { concat, fromHex, utf8 } from "../codec/bytes.ts";
import { type EdwardsCurve, strictEddsa } from "./eddsa-encodings.ts";
import { eddsaOnNoble } from "./eddsa-noble.ts";
import type { PlatformScheme } from "./signature.ts";

const ZEROS = "00".repeat(56);

/** y is 0 or 1. */
const EDWARDS448: EdwardsCurve = {
  prime: fromHex(`${"ff".repeat(28)}fe${"ff".repeat(27)}00`),
  order: fromHex(`f34458ab92c27823558fc58d72c26c219036d6ae49db4ec4e923ca7c${"ff".repeat(27)}3f00`),
  smallOrder: [`00${ZEROS}`, `01${ZEROS}`].map(fromHex),
};

/** `dom4` of Ed448 without a context (RFC 8032 §2). */
const DOMAIN = concat(utf8("SigEd448"), new Uint8Array(2));

export const ed448 = (): PlatformScheme =>
  strictEddsa(
    EDWARDS448,
    eddsaOnNoble({
      ...({ name: "Ed448", publicKeyLength: 57, curve } as const),
      hash: (input) => shake256(concat(DOMAIN, input), { dkLen: 114 }),
    }),
  );
