/** Builds everything. */
import { build } from "./lib/build.mjs";

const { ok, output } = await build();
process.stdout.write(output);
if (!ok) process.exitCode = 1;
