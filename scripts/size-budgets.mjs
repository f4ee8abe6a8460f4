/**
 * What each entry may weigh, in kB (1,000 bytes) after gzip. The numbers are promises (README.md): raise one in a commit
 * that says why.
 *
 * A row is the sum of its entries, each bundled by itself with everything it imports statically. `loads` names modules that
 * are imported dynamically, where they are part of what the row promises.
 * @type {readonly { name: string, entries: readonly string[], loads?: readonly string[], gzip: number }[]}
 */
export const BUDGETS = [
  { name: "coppice: what a page loads", entries: ["packages/coppice/dist/index.js"], gzip: 15 },
  {
    name: "coppice: page and worker, suite 1",
    entries: ["packages/coppice/dist/index.js", "packages/worker/dist/worker.js"],
    gzip: 138.5,
  },
  { name: "@coppice/wasm", entries: ["wasm/dist/index.js"], gzip: 14 },
  { name: "@coppice/wasm/curve", entries: ["wasm/dist/curve.js"], gzip: 10 },
  { name: "@coppice/wasm/full", entries: ["wasm/dist/full.js"], gzip: 26 },
  {
    name: "@coppice/core/drafts/pq, before a suite is asked for",
    entries: ["packages/core/dist/drafts/pq.js"],
    gzip: 24,
  },
  {
    name: "@coppice/core/drafts/pq, all suites, and ML-KEM and ML-DSA on noble",
    entries: ["packages/core/dist/drafts/pq.js"],
    loads: ["crypto/kem-", "crypto/ml-", "@noble/post-quantum"],
    gzip: 70,
  },
  {
    name: "@coppice/core/drafts/partial, with what it takes of the core",
    entries: ["packages/core/dist/drafts/partial/index.js"],
    gzip: 32,
  },
  { name: "@coppice/x509, with cryptography of the core", entries: ["packages/x509/dist/index.js"], gzip: 62 },
  {
    name: "@coppice/core/drafts/extensions, with the parts of the core that it uses",
    entries: ["packages/core/dist/drafts/extensions/index.js"],
    gzip: 37,
  },
  { name: "@coppice/storage", entries: ["packages/storage/dist/index.js"], gzip: 15 },
  {
    name: "@coppice/delivery, with the rules of delivery and cryptography of the core",
    entries: ["packages/delivery/dist/index.js"],
    gzip: 51,
  },
];
