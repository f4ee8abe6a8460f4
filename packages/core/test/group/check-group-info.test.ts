/** Trees of hostile size are refused before they are built (adversarial 8). */
import { expect, test } from "vitest";
import { concat } from "../../src/codec/bytes.ts";
import { encode, opaque } from "../../src/codec/codec.ts";
import { createGroupInfo } from "../../src/group/export.ts";
import { readTree } from "../../src/group/check-group-info.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import { Group } from "../support/group.ts";

test("a tree of millions of blanks is refused at its first node too many (R-2.1.2-8, adversarial 8)", async () => {
  const group = await Group.of(["alice"]);
  const alice = group.member("alice");
  const info = await createGroupInfo(alice.state, alice.signer, { tree: false });
  const blanks = encode(opaque, concat(new Uint8Array(8 * 1024 * 1024)));
  expect(() => readTree(info, blanks, { ...DEFAULT_LIMITS, treeLeaves: 4 })).toThrow(
    expect.objectContaining({ code: "ERR_MLS_LIMIT", requirement: "R-2.1.2-8", detail: { maxElements: 7 } }),
  );
  expect(readTree(info, undefined, DEFAULT_LIMITS)).toBeUndefined();
});
