/** What runs inside an engine: Ed25519 on kernel, noble and the platform behind our checks, on random and edge cases. */
import { type CurveKernel, createCurveKernel } from "@coppice/wasm/curve";
import { type Bytes, concat, toHex } from "../../src/codec/bytes.ts";
import { ed25519 } from "../../src/crypto/ed25519.ts";
import { ed25519OnNoble } from "../../src/crypto/ed25519-noble.ts";
import { EDWARDS25519, strictEddsa } from "../../src/crypto/eddsa-encodings.ts";
import type { PlatformScheme } from "../../src/crypto/signature.ts";
import { EDDSA_SIGNATURES } from "../support/edges/eddsa.ts";

interface Input {
  readonly publicKey: Bytes;
  readonly message: Bytes;
  readonly signature: Bytes;
}

interface Case {
  readonly title: string;
  readonly run: () => Promise<void>;
}

/** Comparisons of a case. */
const PORTION = 500;
const SIGNERS = 50;
const ORDER = EDWARDS25519.order;

let cases: Case[] = [];
let next = 0;
let passed = 0;
const failures: string[] = [];

/** mulberry32: every run has the same inputs. */
function random(seed: number): { bytes: (length: number) => Bytes; below: (limit: number) => number } {
  let state = seed;
  const draw = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return { bytes: (length) => Uint8Array.from({ length }, draw), below: (limit) => draw() % limit };
}

/** The kernel behind the same checks as a platform; `known`: with a table of each key. */
function onKernel(kernel: CurveKernel, known: boolean): PlatformScheme {
  return strictEddsa(EDWARDS25519, {
    ...ed25519OnNoble(),
    verify: (publicKey, message, signature) => {
      const table = known ? kernel.makeTable(publicKey) : undefined;
      const [verdict = false] = kernel.verifyMany([
        { publicKey, message, signature, ...(table === undefined ? {} : { table }) },
      ]);
      return Promise.resolve(verdict);
    },
  });
}

export async function start({ comparisons }: { readonly comparisons: number }): Promise<void> {
  const kernel = createCurveKernel();
  const judges = {
    "kernel, new key": onKernel(kernel, false),
    "kernel, known key": onKernel(kernel, true),
    noble: strictEddsa(EDWARDS25519, ed25519OnNoble()),
    platform: await ed25519("noble"),
  };
  const compare = async (input: Input, valid: boolean | undefined): Promise<void> => {
    const verdicts = await Promise.all(
      Object.values(judges).map(({ verify }) => verify(input.publicKey, input.message, input.signature)),
    );
    if (verdicts.every((verdict) => verdict === (valid ?? verdicts[0]))) return;
    const found = Object.keys(judges).map((name, i) => `${name}: ${String(verdicts[i])}`);
    const given = [input.publicKey, input.message, input.signature].map(toHex);
    throw new Error(`${found.join(", ")}; public key, message, signature ${given.join(" ")}`);
  };
  const signers = await Promise.all(
    Array.from({ length: SIGNERS }, (_, i) => judges.platform.importSigner(random(i).bytes(32))),
  );
  const input = async (seed: number): Promise<{ input: Input; valid: boolean | undefined }> => {
    const { bytes, below } = random(seed);
    const signer = signers[below(SIGNERS)];
    const other = signers[below(SIGNERS)];
    if (signer === undefined || other === undefined) throw new Error("no signer");
    const message = bytes(below(300));
    const { publicKey } = signer;
    const signature = await signer.sign(message);
    const flipped = (data: Bytes): Bytes => {
      const bit = below(8 * data.length);
      return data.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
    };
    switch (below(10)) {
      case 0:
        return { input: { publicKey, message, signature: flipped(signature) }, valid: false };
      case 1:
        return { input: { publicKey: flipped(publicKey), message, signature }, valid: undefined };
      case 2:
        return { input: { publicKey, message: concat(message, Uint8Array.of(0)), signature }, valid: false };
      case 3:
        return { input: { publicKey, message, signature: concat(bytes(32), signature.slice(32)) }, valid: false };
      case 4:
        return { input: { publicKey: bytes(32), message, signature }, valid: undefined };
      case 5:
        return { input: { publicKey, message, signature: raised(signature) }, valid: false };
      case 6:
        return { input: { publicKey: other.publicKey, message, signature }, valid: other === signer };
      default:
        return { input: { publicKey, message, signature }, valid: true };
    }
  };
  cases = [
    ...EDDSA_SIGNATURES.filter(({ suite }) => suite === 1).map((edge) => ({
      title: edge.title,
      run: () => compare(edge, edge.valid),
    })),
    ...Array.from({ length: Math.ceil(comparisons / PORTION) }, (_, portion) => ({
      title: `random comparisons from ${String(portion * PORTION)} on`,
      run: async () => {
        for (let i = portion * PORTION; i < Math.min((portion + 1) * PORTION, comparisons); i++) {
          const made = await input(1_000 + i);
          await compare(made.input, made.valid);
        }
      },
    })),
  ];
}

/** S and the order of the base point: the equation holds for it too. */
function raised(signature: Bytes): Bytes {
  const sum = new Uint8Array(signature);
  let carry = 0;
  for (let i = 0; i < 32; i++) {
    carry += (sum[32 + i] ?? 0) + (ORDER[i] ?? 0);
    sum[32 + i] = carry & 0xff;
    carry >>= 8;
  }
  return sum;
}

/** Runs cases for about so many milliseconds, but at least one. */
export async function proceed(
  milliseconds: number,
): Promise<{ readonly passed: number; readonly failures: readonly string[]; readonly left: number }> {
  for (const deadline = performance.now() + milliseconds; next < cases.length;) {
    const current = cases[next++];
    try {
      await current?.run();
      passed++;
    } catch (error) {
      failures.push(`${current?.title ?? ""}: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (performance.now() >= deadline) break;
  }
  return { passed, failures, left: cases.length - next };
}
