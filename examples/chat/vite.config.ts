/**
 * Builds the chat from the workspace's sources. `--mode fake` puts `dev/coppice.ts` in the place of the `coppice`
 * package: the same application without server or cryptography, to work on its looks.
 */
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

/** What the page may load and talk to, for servers that send no such header. Vite's dev server needs more. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  // Safari's 'self' does not include WebSockets.
  "connect-src 'self' ws: wss:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const contentSecurityPolicyTag: Plugin = {
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [
    {
      tag: "meta",
      attrs: { "http-equiv": "Content-Security-Policy", content: contentSecurityPolicy },
      injectTo: "head-prepend",
    },
  ],
};

export default defineConfig(({ mode }) => ({
  root: import.meta.dirname,
  plugins: [contentSecurityPolicyTag],
  resolve: {
    conditions: ["@coppice/source", "module", "browser", "import", "default"],
    alias: mode === "fake" ? { coppice: fileURLToPath(new URL("./dev/coppice.ts", import.meta.url)) } : {},
  },
  worker: { format: "es" },
  // The delivery server of this repository, so that `npm run dev` talks to it under the page's own origin.
  server: { proxy: { "/v1": { target: "http://localhost:8484", ws: true } } },
  build: { target: ["chrome123", "firefox120", "safari17.5"], outDir: "dist", emptyOutDir: true },
}));
