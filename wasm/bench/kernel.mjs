/**
 * The kernel beside noble and SubtleCrypto: the same inputs in the same run, medians of interleaved samples.
 *
 * `npx tsc -b wasm && node wasm/bench/kernel.mjs`
 */
import { cpus } from "node:os";
import { gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { expand } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { createWasmKernel } from "../dist/index.js";

const kernel = createWasmKernel();
const { subtle } = globalThis.crypto;
/** @param {number} length */
const bytes = (length) => globalThis.crypto.getRandomValues(new Uint8Array(length));

const key16 = bytes(16);
const key32 = bytes(32);
const nonce = bytes(12);
const aad = bytes(40);
const secret = bytes(32);
const info = Uint8Array.of(0, 32, 14, ...new TextEncoder().encode("MLS 1.0 secret"), 4, 0, 0, 0, 1);

/**
 * A contestant runs one operation; its result is looked at only for being a promise.
 *
 * @typedef {{ name: string, per?: number, wasm: () => unknown, noble: () => unknown, subtle?: () => Promise<unknown> }} Row
 */

/** @param {number} length @returns {Row} */
const digestRow = (length) => {
  const data = bytes(length);
  return {
    name: `SHA-256, ${length} B`,
    wasm: () => kernel.sha256.digest(data),
    noble: () => sha256(data),
    subtle: () => subtle.digest("SHA-256", data),
  };
};

/** @param {number} length @returns {Row} */
const digestManyRow = (length) => {
  const many = Array.from({ length: 256 }, () => bytes(length));
  return {
    name: `SHA-256, 256 messages of ${length} B, each`,
    per: many.length,
    wasm: () => kernel.sha256.digestMany(many),
    noble: () => many.map((data) => sha256(data)),
    subtle: () => Promise.all(many.map((data) => subtle.digest("SHA-256", data))),
  };
};

/**
 * @param {number} length
 * @returns {Row[]}
 */
const aeadRows = (length) => {
  const data = bytes(length);
  const sealed = kernel.aes128gcm.seal(key16, nonce, aad, data);
  const sealed20 = kernel.chacha20poly1305.seal(key32, nonce, aad, data);
  const many = Array.from({ length: 64 }, () => ({ key: key16, nonce, aad, data: sealed }));
  const many20 = Array.from({ length: 64 }, () => ({ key: key32, nonce, aad, data: sealed20 }));
  const openSubtle = async () => {
    const key = await subtle.importKey("raw", key16, "AES-GCM", false, ["decrypt"]);
    return subtle.decrypt({ name: "AES-GCM", iv: nonce, additionalData: aad }, key, sealed);
  };
  return [
    {
      name: `AES-128-GCM open, ${length} B`,
      wasm: () => kernel.aes128gcm.open(key16, nonce, aad, sealed),
      noble: () => gcm(key16, nonce, aad).decrypt(sealed),
      subtle: openSubtle,
    },
    {
      name: `AES-128-GCM open, 64 messages of ${length} B, each`,
      per: many.length,
      wasm: () => kernel.aes128gcm.openMany(many),
      noble: () => many.map((message) => gcm(message.key, message.nonce, message.aad).decrypt(message.data)),
      subtle: () => Promise.all(many.map(openSubtle)),
    },
    {
      name: `ChaCha20-Poly1305 open, ${length} B`,
      wasm: () => kernel.chacha20poly1305.open(key32, nonce, aad, sealed20),
      noble: () => chacha20poly1305(key32, nonce, aad).decrypt(sealed20),
    },
    {
      name: `ChaCha20-Poly1305 open, 64 messages of ${length} B, each`,
      per: many20.length,
      wasm: () => kernel.chacha20poly1305.openMany(many20),
      noble: () =>
        many20.map((message) => chacha20poly1305(message.key, message.nonce, message.aad).decrypt(message.data)),
    },
  ];
};

const large = bytes(65536);
/** @type {Row[]} */
const rows = [
  digestRow(32),
  digestRow(200),
  digestRow(65536),
  digestManyRow(50),
  digestManyRow(150),
  {
    name: "SHA-512, 65536 B",
    wasm: () => kernel.sha512.digest(large),
    noble: () => sha512(large),
    subtle: () => subtle.digest("SHA-512", large),
  },
  {
    name: "HMAC-SHA-256, 32 B",
    wasm: () => kernel.sha256.hmac(secret, key32),
    noble: () => hmac(sha256, secret, key32),
    subtle: async () => {
      const key = await subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
      return subtle.sign("HMAC", key, key32);
    },
  },
  {
    name: "ExpandWithLabel, SHA-256, 32 B",
    wasm: () => kernel.sha256.expandWithLabel(secret, "secret", info.subarray(18), 32),
    noble: () => expand(sha256, secret, info, 32),
  },
  {
    name: "a step of a ratchet, SHA-256",
    wasm: () => kernel.sha256.ratchet({ secret, generation: 0, count: 1, Nk: 16, Nn: 12 }),
    noble: () => [16, 12, 32].map((length) => expand(sha256, secret, info, length)),
  },
  {
    name: "100 steps of a ratchet, SHA-256, each",
    per: 100,
    wasm: () => kernel.sha256.ratchet({ secret, generation: 0, count: 100, Nk: 16, Nn: 12 }),
    noble: () => Array.from({ length: 300 }, () => expand(sha256, secret, info, 32)),
  },
  ...aeadRows(200),
  ...aeadRows(1024),
];

/**
 * Microseconds of one operation, over `count` of them.
 *
 * @param {() => unknown} run
 * @param {number} count
 */
async function measure(run, count) {
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    const result = run();
    if (result instanceof Promise) await result;
  }
  return ((performance.now() - start) * 1000) / count;
}

/**
 * How often to run for a sample of about 300 µs, short enough that most samples are not interrupted. Warms up on the way.
 *
 * @param {() => unknown} run
 */
async function calibrate(run) {
  let count = 1;
  for (let i = 0; i < 20; i++) count = Math.max(1, Math.round(300 / (await measure(run, count))));
  return count;
}

/** @param {readonly number[]} values */
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

console.log(`${cpus()[0]?.model ?? "unknown processor"}, Node ${process.version}; medians in µs`);
console.log(`${"".padEnd(54)}    wasm   noble  subtle   wasm : noble : subtle`);
for (const row of rows) {
  const { name, per = 1 } = row;
  const contestants = [row.wasm, row.noble, row.subtle];
  /** @type {number[][]} */
  const times = contestants.map(() => []);
  const counts = [];
  for (const run of contestants) counts.push(run === undefined ? 0 : await calibrate(run));
  for (let round = 0; round < 200; round++) {
    for (const [i, run] of contestants.entries()) {
      if (run !== undefined) times[i]?.push((await measure(run, counts[i] ?? 1)) / per);
    }
  }
  const medians = times.map((samples) => (samples.length === 0 ? undefined : median(samples)));
  const [base = NaN] = medians;
  const columns = medians.map((time) => (time === undefined ? "-" : time.toFixed(2)).padStart(7)).join(" ");
  const ratios = medians.map((time) => (time === undefined ? "-" : (time / base).toFixed(1))).join(" : ");
  console.log(`${name.padEnd(54)} ${columns}   ${ratios}`);
}
