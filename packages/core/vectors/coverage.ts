/** The official vectors as a test, so that `npm run coverage` counts what they run. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { getCipherSuite } from "../src/crypto/cipher-suite.ts";
import { Case } from "./case.ts";
import { recogniseFormat } from "./formats.ts";
import { findVectors } from "./source.ts";

const directory = await findVectors(undefined);
const files = readdirSync(directory).filter((name) => name.endsWith(".json"));

test.each(files)("%s", async (file) => {
  const cases: unknown = JSON.parse(readFileSync(join(directory, file), "utf8"));
  if (!Array.isArray(cases)) throw new TypeError(`${file} is not a JSON array`);
  const format = recogniseFormat(file, cases);
  expect(format).toBeDefined();
  for (const value of cases) await format?.verify(new Case(value), getCipherSuite);
});
