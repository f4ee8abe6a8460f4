/** Who verifies: found by timing, fixed by an option, and the same verdict whoever it is. */
import { systemTime, type Time } from "@coppice/kit";
import { createCurveKernel, type CurveKernel } from "@coppice/wasm/curve";
import { afterEach, expect, test, vi } from "vitest";
import { utf8 } from "../../src/codec/bytes.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import { CurveChoice, type Verify } from "../../src/crypto/curve-choice.ts";
import { describeCurve25519, useCurve25519 } from "../../src/crypto/curve-options.ts";
import { ed25519OnNoble } from "../../src/crypto/ed25519-noble.ts";
import { verifiedByChoice } from "../../src/crypto/ed25519-choice.ts";

afterEach(() => {
  useCurve25519({});
  vi.restoreAllMocks();
});

/** Milliseconds that each takes. */
interface Costs {
  readonly platform: number;
  readonly together?: number;
  readonly kernel: number;
  readonly known: number;
}

const MEASURED = { options: { implementation: "measured", tableBytes: 2 ** 21 } } as const;
const KERNEL = { options: { implementation: "kernel", tableBytes: 2 ** 21 } } as const;

/** A choice between implementations that take as long as they are told to. */
function timed(
  { platform, together = platform, kernel, known }: Costs,
  context: ConstructorParameters<typeof CurveChoice>[1] = MEASURED,
): {
  readonly choice: CurveChoice;
  readonly verify: Verify;
  readonly pass: (milliseconds: number) => void;
} {
  let now = 0;
  const time: Time = { ...systemTime, elapsed: () => now };
  const pass = (milliseconds: number): void => {
    now += milliseconds;
  };
  const real = createCurveKernel();
  const slow: CurveKernel = {
    tableLength: real.tableLength,
    signingKey: (seed) => real.signingKey(seed),
    sign: (...given) => real.sign(...given),
    agreementKey: (...given) => real.agreementKey(...given),
    agree: (...given) => real.agree(...given),
    makeTable: (publicKey) => real.makeTable(publicKey),
    verifyMany: (signatures) => {
      for (const { table } of signatures) now += table === undefined ? kernel : known;
      return real.verifyMany(signatures);
    },
  };
  let open = 0;
  const verify: Verify = async () => {
    open++;
    await Promise.resolve();
    now += open > 1 ? together : platform;
    await Promise.resolve();
    open = 0;
    return true;
  };
  return { choice: new CurveChoice(() => Promise.resolve(slow), context, time), verify, pass };
}

test.each([
  [{ platform: 0.05, kernel: 0.1, known: 0.04 }, ["platform", "kernel", "platform", "kernel"]],
  [{ platform: 0.2, together: 0.09, kernel: 0.1, known: 0.04 }, ["kernel", "kernel", "platform", "kernel"]],
  [{ platform: 0.6, kernel: 0.1, known: 0.04 }, ["kernel", "kernel", "kernel", "kernel"]],
  [{ platform: 0.02, kernel: 0.1, known: 0.04 }, ["platform", "platform", "platform", "platform"]],
] as const)("by measurement, %o", async (costs, expected) => {
  const { choice, verify } = timed(costs);
  expect(choice.describe()).toMatchObject({ implementation: "measured", isLoaded: false, costs: undefined });
  expect(choice.prepare(verify)).toBeUndefined();
  await choice.measured;
  const { verify: who, isLoaded, costs: found } = choice.describe();
  expect([who.alone.new, who.alone.known, who.together.new, who.together.known]).toEqual(expected);
  expect(isLoaded).toBe(true);
  expect(found?.platform).toBeCloseTo(1_000 * costs.platform);
  expect(found?.kernelKnown).toBeCloseTo(1_000 * costs.known);
});

test("is measured four times, some time apart, and then no more", async () => {
  const { choice, verify, pass } = timed({ platform: 0.5, kernel: 0.1, known: 0.04 });
  const counting = vi.fn(verify);
  const calls: number[] = [];
  for (let i = 0; i < 12; i++) {
    expect(choice.prepare(counting)).toBeUndefined();
    await choice.measured;
    calls.push(counting.mock.calls.length);
    if (i % 2 === 1) pass(300);
  }
  expect(calls[0]).toBeGreaterThan(0);
  expect(calls[1]).toBe(calls[0]);
  expect(calls[2]).toBeGreaterThan(calls[1] ?? 0);
  expect(calls[6]).toBeGreaterThan(calls[5] ?? 0);
  expect(calls[11]).toBe(calls[6]);
});

test("where there is no WebAssembly the platform verifies, whatever was asked for", async () => {
  const load = vi.fn(() => Promise.reject(new Error("none")));
  for (const context of [MEASURED, KERNEL]) {
    const choice = new CurveChoice(load, context);
    const platform = vi.fn(() => Promise.resolve(true));
    const { verify } = verifiedByChoice({ ...ed25519OnNoble(), verify: platform }, choice);
    const bytes = new Uint8Array(64);
    for (let i = 0; i < 20; i++) await verify(bytes.slice(32), bytes, bytes);
    await choice.measured;
    expect(platform).toHaveBeenCalledTimes(20);
    expect(choice.describe()).toMatchObject({ isLoaded: false, verify: { together: { known: "platform" } } });
  }
  expect(load).toHaveBeenCalledTimes(2);
});

test("fixed by an option, the kernel is asked from the first verification on, the platform never", async () => {
  const { choice, verify: never } = timed({ platform: 0, kernel: 9, known: 9 }, KERNEL);
  const platform = vi.fn(never);
  const { verify, importSigner, generateKeyPair } = verifiedByChoice({ ...ed25519OnNoble(), verify: platform }, choice);
  const { publicKey, privateKey } = await generateKeyPair();
  const signature = await (await importSigner(privateKey)).sign(utf8("a"));
  for (let i = 0; i < 6; i++) {
    const verdicts = await Promise.all([
      verify(publicKey, utf8("a"), signature),
      verify(publicKey, utf8("b"), signature),
      verify(new Uint8Array(publicKey), utf8("a"), signature),
    ]);
    expect(verdicts).toEqual([true, false, true]);
    expect(await verify(publicKey, utf8("a"), signature)).toBe(true);
  }
  expect(platform).not.toHaveBeenCalled();
});

test("a kernel that fails gives no verdict: the platform does", async () => {
  const { choice } = timed({ platform: 0, kernel: 0, known: 0 }, KERNEL);
  const scheme = ed25519OnNoble();
  const { verify } = verifiedByChoice(scheme, choice);
  const { publicKey, privateKey } = await scheme.generateKeyPair();
  const signature = await (await scheme.importSigner(privateKey)).sign(utf8("a"));
  expect(await verify(publicKey, utf8("a"), signature)).toBe(true);
  const { kernel } = choice;
  if (kernel === undefined) throw new Error("not loaded");
  vi.spyOn(kernel, "verifyMany").mockImplementation(() => {
    throw new WebAssembly.RuntimeError("unreachable");
  });
  expect(await verify(publicKey, utf8("a"), signature)).toBe(true);
  expect(await verify(publicKey, utf8("b"), signature)).toBe(false);
});

test("is one for all suites of a context, and shows", async () => {
  useCurve25519({ implementation: "kernel", tableBytes: 0 });
  const { signature } = await getCipherSuite(3);
  const { publicKey, privateKey } = await signature.generateKeyPair();
  const signed = await (await signature.importSigner(privateKey)).sign(utf8("a"));
  expect(await signature.verify(publicKey, utf8("a"), signed)).toBe(true);
  expect(describeCurve25519()).toMatchObject({
    implementation: "kernel",
    isLoaded: true,
    verify: { alone: { new: "kernel", known: "kernel" } },
  });
  useCurve25519({ implementation: "platform" });
  expect(describeCurve25519().verify.together.known).toBe("platform");
});

test("a context that verifies little has no choice, and one that verifies more measures", async () => {
  vi.resetModules();
  const context = await import("../../src/crypto/cipher-suite.ts");
  const { describeCurve25519: describe } = await import("../../src/crypto/curve-options.ts");
  const { signature } = await context.getCipherSuite(1);
  const { publicKey, privateKey } = await signature.generateKeyPair();
  const signed = await (await signature.importSigner(privateKey)).sign(utf8("a"));
  const verify = (): Promise<boolean> => signature.verify(publicKey, utf8("a"), signed);
  for (let i = 0; i < 15; i++) await verify();
  await new Promise((resolve) => setImmediate(resolve));
  expect(describe()).toMatchObject({ isLoaded: false, costs: undefined });
  await vi.waitFor(async () => {
    expect(await verify()).toBe(true);
    expect(describe().costs?.kernelKnown).toBeGreaterThan(0);
  });
  expect(await signature.verify(publicKey, utf8("b"), signed)).toBe(false);
});

test("refuses what is no choice", () => {
  for (const implementation of ["noble", "", null]) {
    expect(() => {
      useCurve25519({ implementation: implementation as "kernel" });
    }).toThrow(TypeError);
  }
  for (const tableBytes of [-1, 0.5, Infinity]) {
    expect(() => {
      useCurve25519({ tableBytes });
    }).toThrow(RangeError);
  }
});
