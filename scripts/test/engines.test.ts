/** The supported engines are stated once, for tools; what people read says the same. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../lib/root.mjs";

test("the README names the engines of browserslist", () => {
  const { browserslist } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { browserslist: string[] };
  expect(browserslist).toEqual(["chrome 111", "firefox 128", "safari 17.0", "ios_saf 17.0"]);
  expect(readFileSync(join(root, "README.md"), "utf8")).toContain("Chromium 111, Firefox 128, Safari 17.0 and later");
});
