import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createBasicWasmKernel } from "../src/index.ts";
import { createWasmKernel } from "../src/full.ts";

const [basic, full] = [createBasicWasmKernel(), createWasmKernel()];

describe("the kernel of suites 1 and 2 gives what the full one gives", () => {
  it("of SHA-256", () => {
    const messages = [0, 1, 55, 56, 64, 200, 70_000].map((length) => randomBytes(length));
    const [secret] = messages.map((message) => basic.sha256.digest(message));
    expect(messages.map((message) => basic.sha256.digest(message))).toEqual(full.sha256.digestMany(messages));
    expect(basic.sha256.digestMany(messages)).toEqual(full.sha256.digestMany(messages));
    if (secret === undefined) throw new Error("there are messages");
    const run = { secret, generation: 7, count: 300, Nk: 16, Nn: 12 };
    expect(basic.sha256.ratchet(run)).toEqual(full.sha256.ratchet(run));
  });

  it.each(["aes128gcm", "aes256gcm"] as const)("of %s", (name) => {
    const messages = [0, 1, 16, 200, 70_000].map((length) => ({
      ...{ key: randomBytes(basic[name].Nk), nonce: randomBytes(12), aad: randomBytes(length % 33) },
      data: randomBytes(length),
    }));
    const sealed = basic[name].sealMany(messages);
    expect(sealed).toEqual(full[name].sealMany(messages));
    const toOpen = messages.map((message, i) => ({ ...message, data: sealed[i] ?? message.data }));
    expect(basic[name].openMany(toOpen)).toEqual(messages.map(({ data }) => new Uint8Array(data)));
  });
});
