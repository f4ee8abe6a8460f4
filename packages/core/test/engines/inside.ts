/** What runs inside an engine: a group with every cipher suite, verdicts on odd keys and signatures, and the official test vectors. */
import type { CipherSuite } from "../../src/crypto/cipher-suite.ts";
import { getCipherSuite, SUPPORTED_CIPHER_SUITES } from "../../src/crypto/cipher-suite.ts";
import { registerPqCipherSuites } from "../../src/drafts/pq.ts";
import { Case, isOfKnownSuite } from "../../vectors/case.ts";
import { recogniseFormat } from "../../vectors/formats.ts";
import { ML_DSA_SIGNATURES } from "../support/edges/ml-dsa.ts";
import { PQ_ANSWERS } from "../support/pq-answers.ts";
import { judgeKey, judgeSignature, KEY_EDGES, SIGNATURE_EDGES } from "../support/edges/verdicts.ts";
import { playScenario } from "./scenario.ts";

type Kernel = "wasm" | "noble";

interface EngineCase {
  readonly title: string;
  readonly run: () => Promise<void>;
}

/** What to run. */
export interface CoreOptions {
  readonly kernels: readonly Kernel[];
  /** Whether to play the scenario, and to judge keys and signatures. */
  readonly groups: boolean;
  /** Addresses of vector files. */
  readonly vectors: readonly string[];
}

let cases: readonly EngineCase[] = [];
let next = 0;
let passed = 0;
const failures: string[] = [];

export async function start({ kernels, groups, vectors }: CoreOptions): Promise<void> {
  const files = await Promise.all(vectors.map(readVectors));
  cases = kernels.flatMap((kernel) => [
    ...(groups ? [...SUPPORTED_CIPHER_SUITES, ...registerPqCipherSuites()] : []).map((id) => ({
      title: `a group with suite ${String(id)} on ${kernel}`,
      run: () => playScenario(id, kernel),
    })),
    ...(groups ? ANSWER_CASES : []).map(({ title, run }) => ({ title: `${title} on ${kernel}`, run })),
    ...(groups ? verdictCases(suitesOn(kernel)) : []).map(({ title, run }) => ({
      title: `${title} on ${kernel}`,
      run,
    })),
    ...files.flat().map(({ title, run }) => ({ title: `${title} on ${kernel}`, run: () => run(suitesOn(kernel)) })),
  ]);
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

type Suites = (id: number) => Promise<CipherSuite>;

const suitesOn =
  (kernel: Kernel): Suites =>
  (id) =>
    getCipherSuite(id, { kernel });

/** The platform's own KEMs give what is published. */
const ANSWER_CASES: readonly EngineCase[] = PQ_ANSWERS.map(({ title, published, got }) => ({
  title,
  run: async () => {
    const answer = await got();
    if (answer !== published) throw new Error(`${answer} instead of ${published}`);
  },
}));

/** One verdict in every engine: what is valid in one and not in another splits a group. */
function verdictCases(suites: Suites): EngineCase[] {
  const expectVerdict = (valid: boolean, verdict: boolean): void => {
    if (verdict !== valid) throw new Error(valid ? "refused, though it is valid" : "accepted, though it is not valid");
  };
  return [
    ...[...SIGNATURE_EDGES, ...ML_DSA_SIGNATURES].map((edge) => ({
      title: `a signature of suite ${String(edge.suite)}: ${edge.title}`,
      run: async () => {
        expectVerdict(edge.valid, await judgeSignature(await suites(edge.suite), edge));
      },
    })),
    ...KEY_EDGES.map((edge) => ({
      title: `a key of suite ${String(edge.suite)}: ${edge.title}`,
      run: async () => {
        expectVerdict(edge.valid, await judgeKey(await suites(edge.suite), edge));
      },
    })),
  ];
}

async function readVectors(
  address: string,
): Promise<{ readonly title: string; readonly run: (suites: Suites) => Promise<void> }[]> {
  const name = address.slice(address.lastIndexOf("/") + 1);
  const values: unknown = await (await fetch(address)).json();
  if (!Array.isArray(values)) throw new TypeError(`${name} is not a JSON array`);
  const format = recogniseFormat(name, values);
  const vectors = values.map((value, i) => ({ vector: new Case(value), title: `${name} case ${String(i)}` }));
  return vectors
    .filter(({ vector }) => isOfKnownSuite(vector))
    .map(({ vector, title }) => ({
      title,
      run: async (suites: Suites) => {
        if (format === undefined) throw new Error("unknown format");
        await format.verify(vector, suites);
      },
    }));
}
