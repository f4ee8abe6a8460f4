/** Tree hashing by level and ratchets of the secret tree: the kernel, noble and SubtleCrypto. */
import { createWasmKernel } from "@coppice/wasm/full";
import { expand } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Scenario } from "../src/scenario.ts";
import { assertSame, bytes } from "./inputs.ts";

const kernel = createWasmKernel();
const { subtle } = globalThis.crypto;

/** TreeHashInput (RFC 9420 §7.8) of a leaf with a basic credential, and of a parent node before its children's hashes. */
const LEAF = 220;
const PARENT = 75;

/** What a level of the tree is hashed with. */
type HashLevel = (inputs: readonly Uint8Array<ArrayBuffer>[]) => readonly Uint8Array[];

const leaves = (count: number): Uint8Array<ArrayBuffer>[] =>
  Array.from({ length: count }, (_, index) => bytes(LEAF, index));

/** Inputs of the level above: node, then both children's hashes as vectors. */
function above(hashes: readonly Uint8Array[], nodes: readonly Uint8Array[]): Uint8Array<ArrayBuffer>[] {
  const inputs: Uint8Array<ArrayBuffer>[] = [];
  for (let index = 0; index + 1 < hashes.length; index += 2) {
    const input = new Uint8Array(PARENT + 66);
    input.set(nodes[index >> 1] ?? new Uint8Array(0));
    input[PARENT] = 32;
    input.set(hashes[index] ?? new Uint8Array(0), PARENT + 1);
    input[PARENT + 33] = 32;
    input.set(hashes[index + 1] ?? new Uint8Array(0), PARENT + 34);
    inputs.push(input);
  }
  return inputs;
}

function treeHash(leafInputs: readonly Uint8Array<ArrayBuffer>[], nodes: readonly Uint8Array[], level: HashLevel) {
  let hashes = level(leafInputs);
  while (hashes.length > 1) hashes = level(above(hashes, nodes));
  return hashes[0] ?? new Uint8Array(0);
}

async function subtleTreeHash(
  leafInputs: readonly Uint8Array<ArrayBuffer>[],
  nodes: readonly Uint8Array[],
): Promise<Uint8Array> {
  const level = async (inputs: readonly Uint8Array<ArrayBuffer>[]): Promise<Uint8Array[]> =>
    (await Promise.all(inputs.map((input) => subtle.digest("SHA-256", input)))).map((hash) => new Uint8Array(hash));
  let hashes = await level(leafInputs);
  while (hashes.length > 1) hashes = await level(above(hashes, nodes));
  return hashes[0] ?? new Uint8Array(0);
}

/** KDFLabel of a step of a ratchet: 4 bytes of generation as the context. */
function stepLabel(label: string, length: number, generation: number): Uint8Array {
  const text = new TextEncoder().encode(`MLS 1.0 ${label}`);
  return Uint8Array.of(0, length, text.length, ...text, 4, 0, 0, generation >> 8, generation & 255);
}

function nobleRatchet(start: Uint8Array, count: number): Uint8Array {
  let secret = start;
  for (let generation = 0; generation < count; generation++) {
    expand(sha256, secret, stepLabel("key", 16, generation), 16);
    expand(sha256, secret, stepLabel("nonce", 12, generation), 12);
    secret = expand(sha256, secret, stepLabel("secret", 32, generation), 32);
  }
  return secret;
}

async function subtleRatchet(start: Uint8Array<ArrayBuffer>, count: number): Promise<Uint8Array> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  let secret = start;
  for (let generation = 0; generation < count; generation++) {
    const key = await subtle.importKey("raw", secret, algorithm, false, ["sign"]);
    const derive = (label: string, length: number): Promise<ArrayBuffer> =>
      subtle.sign("HMAC", key, Uint8Array.of(...stepLabel(label, length, generation), 1));
    const [, , next] = await Promise.all([derive("key", 16), derive("nonce", 12), derive("secret", 32)]);
    secret = new Uint8Array(next);
  }
  return secret;
}

export const kernelTreeScenarios: readonly Scenario[] = [
  {
    name: "kernel: hash of a full tree, by level",
    sizes: [1_024],
    sizeUnit: "members",
    promise: 0.25,
    reference: "@noble/hashes",
    setup: async (count) => {
      const inputs = leaves(count);
      const nodes = Array.from({ length: count / 2 }, (_, index) => bytes(PARENT, index));
      const coppice = (): Uint8Array => treeHash(inputs, nodes, (level) => kernel.sha256.digestMany(level));
      const noble = (): Uint8Array => treeHash(inputs, nodes, (level) => level.map((input) => sha256(input)));
      const platform = (): Promise<Uint8Array> => subtleTreeHash(inputs, nodes);
      assertSame([coppice(), noble(), await platform()]);
      return { coppice, peers: { "@noble/hashes": noble, SubtleCrypto: platform } };
    },
  },
  {
    name: "kernel: keys and nonces of a ratchet",
    sizes: [1, 100],
    sizeUnit: "messages",
    promise: 0.5,
    setup: async (count) => {
      const secret = bytes(32, 6);
      const coppice = (): Uint8Array => kernel.sha256.ratchet({ secret, generation: 0, count, Nk: 16, Nn: 12 }).secret;
      const noble = (): Uint8Array => nobleRatchet(secret, count);
      const platform = (): Promise<Uint8Array> => subtleRatchet(secret, count);
      assertSame([coppice(), noble(), await platform()]);
      return { coppice, peers: { "@noble/hashes": noble, SubtleCrypto: platform } };
    },
  },
];
