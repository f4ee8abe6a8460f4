import { expect, test } from "vitest";
import { argon2id } from "../../src/indexeddb/argon2.ts";
import { bytes } from "./raw.ts";

test("Argon2id gives the known answer of its reference implementation", async () => {
  const hash = await argon2id(bytes("password"), bytes("somesalt"), { memory: 256, passes: 2, lanes: 2 });
  expect(Buffer.from(hash).toString("hex")).toBe("6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037");
});
