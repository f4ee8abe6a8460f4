/** The README lists the rules of device logs. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DEVICE_LOG_RULES } from "@coppice/delivery/contract";

test("the README says each rule as the errors do", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const rows = Array.from(readme.matchAll(/^\| (DL-\d+) +\| (.*?) +\|$/gm), ([, rule, text]) => [rule, text]);
  expect(rows).toEqual(Object.entries(DEVICE_LOG_RULES));
});
