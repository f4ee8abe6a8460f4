/** One verdict on signatures and keys on every platform (adversarial 49). In browsers: `npm run engines`. */
import { afterEach, describe, expect, test, vi } from "vitest";
import type { CipherSuite } from "../../src/crypto/cipher-suite.ts";
import type { KeyEdge, SignatureEdge } from "../support/edges/case.ts";
import { judgeKey, judgeSignature, KEY_EDGES, SIGNATURE_EDGES } from "../support/edges/verdicts.ts";
import { PLATFORMS, suiteWhere } from "../support/platforms.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const suites = new Map<string, CipherSuite>();

async function suiteOn(id: number, platform: string): Promise<CipherSuite> {
  const place = `${platform} ${String(id)}`;
  const suite = suites.get(place) ?? (await suiteWhere(id, platform));
  suites.set(place, suite);
  return suite;
}

/** The other suites are the same on all of these. */
function edgesOn<E extends SignatureEdge | KeyEdge>(edges: readonly E[], platform: string): (readonly [string, E])[] {
  const dependent = edges.filter(({ suite }) => platform === "Node" || suite === 1);
  return dependent.map((edge) => [`suite ${String(edge.suite)}: ${edge.title}`, edge]);
}

describe.each(PLATFORMS)("on %s", (platform) => {
  test.each(edgesOn(SIGNATURE_EDGES, platform))("a signature of %s (R-5.1.2-1, R-5.1.2-2)", async (_, edge) => {
    expect(await judgeSignature(await suiteOn(edge.suite, platform), edge)).toBe(edge.valid);
  });

  test.each(edgesOn(KEY_EDGES, platform))("a key of %s (R-5.1.1-1, R-5.1.1-2, R-5.1.1-3)", async (_, edge) => {
    expect(await judgeKey(await suiteOn(edge.suite, platform), edge)).toBe(edge.valid);
  });
});
