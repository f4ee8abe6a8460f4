/** `npm run pictures`: takes the documentation's pictures of the running chat (docs/images). */
import { join } from "node:path";
import { build } from "./lib/build.mjs";
import { getChromium } from "./lib/chromium.mjs";
import { root } from "./lib/root.mjs";
import { run } from "./lib/run.mjs";

const built = await build();
const chromium = built.ok ? await getChromium(console.log) : undefined;
if (chromium === undefined) {
  console.error(built.ok ? "no Chromium found: set COPPICE_CHROMIUM" : built.output);
  process.exit(1);
}
const { ok } = await run(["playwright", "test", "--config", "pictures.config.ts"], {
  cwd: join(root, "e2e"),
  env: { COPPICE_CHROMIUM: chromium },
  show: true,
});
if (!ok) process.exitCode = 1;
