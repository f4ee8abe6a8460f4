/** Files cross between page and worker piece by piece. */
import { describe, expect, it } from "vitest";
import { backup, restore } from "../src/backup.ts";
import { serve, settled } from "./connect.ts";
import { FakeSource } from "./fake-engine.ts";

const account = { name: "alice", server: "https://chat.example" };
const backupKey = { kind: "passphrase", passphrase: "correct horse" } as const;

function scene() {
  const source = new FakeSource();
  const options = { ...account, backupKey, worker: () => serve(source).pagePort };
  return { source, options };
}

describe("a backup", () => {
  it("is made while it is read, with its progress", async () => {
    const { source, options } = scene();
    const told: unknown[] = [];
    const stream = backup({ ...options, onProgress: ({ items, total }) => told.push([items, total]) });
    const file = new Uint8Array(await new Response(stream).arrayBuffer());
    expect([file.length, file[0], file.at(-1)]).toEqual([300_000, 1, 3]);
    expect(told).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
      [3, 3],
    ]);
    await settled();
    expect(source.filesClosed).toBe(1);
  });

  it("ends when nobody wants more of it, or its signal aborts", async () => {
    const { source, options } = scene();
    const reader = backup(options).getReader();
    await reader.read();
    await reader.cancel();
    const controller = new AbortController();
    const aborted = backup({ ...options, signal: controller.signal }).getReader();
    await aborted.read();
    controller.abort(new Error("of the caller"));
    await expect(aborted.read()).rejects.toThrow("of the caller");
    await settled();
    expect(source.filesClosed).toBe(2);
  });

  it("fails with the codes of the worker", async () => {
    const { options } = scene();
    const source = new FakeSource();
    const shared = { ...options, worker: () => serve(source).pagePort };
    await new Response(backup(shared)).arrayBuffer();
    const refused = backup({ ...shared, key: { kind: "passphrase", passphrase: "other" } })
      .getReader()
      .read();
    await expect(refused).rejects.toMatchObject({ code: "ERR_STORE_WRONG_KEY" });
    expect(() => backup({ ...account } as never)).toThrow("The option backupKey must be a key");
  });
});

describe("restoring", () => {
  it("takes a Blob or a stream, in pieces that are not too large", async () => {
    const { source, options } = scene();
    source.pieces = 100;
    await restore({ ...options, backup: new Blob([new Uint8Array(600_000).fill(7)]) });
    const whole = source.restored.reduce((sum, { length }) => sum + length, 0);
    expect(whole).toBe(600_000);
    expect(Math.max(...source.restored.map(({ length }) => length))).toBeLessThanOrEqual(1 << 18);
    source.restored.length = 0;
    await restore({ ...options, backup: new Blob([new Uint8Array(5)]).stream() });
    expect([source.restored.length, source.filesClosed]).toEqual([1, 2]);
  });

  it("fails with what the worker found, and lets go of the file", async () => {
    const { source, options } = scene();
    source.pieces = 0;
    let cancelled = false;
    const file = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(10)),
      cancel: () => void (cancelled = true),
    });
    await expect(restore({ ...options, backup: file })).rejects.toMatchObject({ code: "ERR_STORE_CORRUPT" });
    expect([cancelled, source.filesClosed]).toEqual([true, 1]);
  });

  it("ends in the worker when it is aborted here", async () => {
    const { source, options } = scene();
    const controller = new AbortController();
    let pieces = 0;
    const file = new ReadableStream<Uint8Array>({
      pull: (stream) => {
        stream.enqueue(new Uint8Array(10));
        if (++pieces === 3) controller.abort(new Error("of the caller"));
      },
    });
    const restoring = restore({ ...options, backup: file, signal: controller.signal });
    await expect(restoring).rejects.toThrow("of the caller");
    await settled();
    expect(source.filesClosed).toBe(1);
  });
});
