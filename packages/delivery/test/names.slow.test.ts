/** The repertoire of names, whole. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { isNormalName } from "@coppice/delivery/contract";

/**
 * Every character that a name may have, by itself or after a letter, with its normal form. Engines with other Unicode tables
 * have to find the same: where this fails with a newer engine, its additions belong to what `name-rules.ts` refuses.
 */
test("the characters of names are the same in every engine", { timeout: 60_000 }, () => {
  const found = createHash("sha256");
  let count = 0;
  const candidate = /[!-~\p{L}\p{M}\p{N}\u0f0b\u05f3\u05f4\u06fd\u06fe\u30fb]/u;
  for (let code = 0x21; code < 0x34000; code++) {
    const character = String.fromCodePoint(code);
    if (!candidate.test(character)) continue;
    const form = ["", "a", "ب", "か"].map((before) => before + character).find((name) => isNormalName(name));
    if (form === undefined) continue;
    found.update(`${code.toString(16)} `);
    count++;
  }
  expect([count, found.digest("hex")]).toEqual([
    111_842,
    "0be27cb2d17ce762bf9e5f56954ed301ab7038292109a65ac442b7ece7411031",
  ]);
});
