/** Page and worker in a folder, and a real server that serves them without the limits meant for strangers. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createServer } from "@coppice/server";
import { build } from "esbuild";

const entry = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const FREE = { burst: 1e9, perSecond: 1e9 };

export interface Site {
  readonly url: string;
  readonly close: () => Promise<void>;
}

export async function openSite(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), "coppice-contexts-"));
  await build({
    entryPoints: { page: entry("page.ts"), worker: entry("worker.ts") },
    outdir: folder,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    conditions: ["@coppice/source"],
    logLevel: "error",
  });
  await writeFile(join(folder, "index.html"), '<!doctype html><script type="module" src="/page.js"></script>\n');
  const server = await createServer({
    port: 0,
    database: join(folder, "coppice.db"),
    staticDirectory: folder,
    limits: {
      bodyBytes: 16 * 1024 * 1024,
      messageBytes: 8 * 1024 * 1024,
      pageBytes: 8 * 1024 * 1024,
      namesPerRequest: 10_000,
      requestsPerUser: FREE,
      requestsPerAddress: FREE,
      signInsPerAddress: FREE,
      registrationsPerAddress: FREE,
      claimsPerPair: FREE,
      claimsPerUser: FREE,
      inboxEntries: 1_000_000,
      inboxEntriesPerSender: 1_000_000,
    },
  });
  return {
    url: server.url,
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
