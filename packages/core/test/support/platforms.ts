/** Platforms that differ in what cryptography they have. */
import { vi } from "vitest";
import type { CipherSuite } from "../../src/crypto/cipher-suite.ts";

export const PLATFORMS = [
  "Node",
  "a browser",
  "a browser that verifies leniently",
  "a browser without the curves",
  "the curve kernel",
  "the curve kernel without the curves",
];

/** The suite as it is found on this platform, which the test then stays on. Restore all mocks after the test. */
export async function suiteWhere(id: number, platform: string): Promise<CipherSuite> {
  if (platform !== "Node") vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined);
  // A context looks at its platform once.
  vi.resetModules();
  const context = await import("../../src/crypto/cipher-suite.ts");
  const { useCurve25519 } = await import("../../src/crypto/curve-options.ts");
  useCurve25519({ implementation: platform.startsWith("the curve kernel") ? "kernel" : "platform" });
  if (platform === "a browser that verifies leniently") {
    const accept = vi.spyOn(crypto.subtle, "verify").mockResolvedValue(true);
    const suite = await context.getCipherSuite(id);
    accept.mockRestore();
    return suite;
  }
  if (!platform.endsWith("without the curves")) return context.getCipherSuite(id);
  const refuse = vi.spyOn(crypto.subtle, "importKey").mockRejectedValue(new DOMException("none", "NotSupportedError"));
  const suite = await context.getCipherSuite(id, platform.startsWith("a browser") ? { kernel: "noble" } : {});
  refuse.mockRestore();
  return suite;
}
