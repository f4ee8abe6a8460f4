import { describe, expect, test, vi } from "vitest";
import { createRecoveryKey, type FileKey, openFile, sealFile } from "../src/sealed-file.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** At a cost that tests can pay; the cost that stands in the file is the real one. */
vi.mock("../src/indexeddb/argon2.ts", async (importOriginal) => {
  const { argon2id: real } = await importOriginal<typeof import("../src/indexeddb/argon2.ts")>();
  const stretch: typeof real = (passphrase, salt, cost) => real(passphrase, salt, { ...cost, memory: 64 });
  return { argon2id: stretch };
});

const PASSPHRASE: FileKey = { kind: "passphrase", passphrase: "correct horse" };

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Bytes> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.slice(at, at + size));
}

async function whole(stream: AsyncIterable<Uint8Array>): Promise<Buffer<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

const seal = (plaintext: Uint8Array, key: FileKey, size = 1000): Promise<Buffer<ArrayBuffer>> =>
  whole(sealFile(pieces(plaintext, size), key));
const open = (file: Uint8Array, key: FileKey, size = 999): Promise<Buffer<ArrayBuffer>> =>
  whole(openFile(pieces(file, size), key));

const random = (length: number): Bytes => {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
};

describe("a sealed file", () => {
  test("opens by its passphrase or recovery key, however it is divided", async () => {
    const recovery = { kind: "recovery", key: await createRecoveryKey() } as const;
    for (const key of [PASSPHRASE, recovery]) {
      for (const length of [0, 1, 4096]) {
        const plaintext = random(length);
        const file = await seal(plaintext, key);
        for (const size of [1, 7, 1 << 20]) expect(Buffer.compare(await open(file, key, size), plaintext)).toBe(0);
      }
    }
    const large = random(3 * 1024 * 1024 + 5);
    const file = await seal(large, recovery, 1 << 22);
    expect(Buffer.compare(await open(file, recovery, 1 << 16), large)).toBe(0);
  });

  test("does not open by another passphrase, recovery key, or kind of key", async () => {
    const [key, other] = [await createRecoveryKey(), await createRecoveryKey()];
    const files = [await seal(random(10), PASSPHRASE), await seal(random(10), { kind: "recovery", key })] as const;
    for (const [file, wrong] of [
      [files[0], { kind: "passphrase", passphrase: "Correct horse" }],
      [files[0], { kind: "recovery", key }],
      [files[1], { kind: "recovery", key: other }],
      [files[1], PASSPHRASE],
    ] as const) {
      await expect(open(file, wrong)).rejects.toMatchObject({ code: "ERR_STORE_WRONG_KEY" });
    }
  });

  test("of which anything was changed, cut off, left out, repeated or added is refused", async () => {
    const key = { kind: "recovery", key: await createRecoveryKey() } as const;
    const plaintext = random(3000);
    const file = await seal(plaintext, key);
    const header = 84;
    const frame = 4 + 1000 + 16;
    const frames = [0, 1, 2].map((number) => file.subarray(header + number * frame, header + (number + 1) * frame));
    const end = file.subarray(header + 3 * frame);
    const [first, second, third] = frames as [Buffer, Buffer, Buffer];
    const head = file.subarray(0, header);
    for (const hostile of [
      file.subarray(0, file.length - 1),
      file.subarray(0, header + 3 * frame),
      file.subarray(0, 40),
      Buffer.alloc(0),
      Buffer.concat([file, Buffer.of(0)]),
      Buffer.concat([head, second, first, third, end]),
      Buffer.concat([head, first, first, second, third, end]),
      Buffer.concat([head, first, second, end]),
      Buffer.concat([head, end]),
      Buffer.concat([head, first, second, third, end, end]),
    ]) {
      await expect(open(hostile, key)).rejects.toMatchObject({ code: "ERR_STORE_CORRUPT" });
    }
    for (let at = 0; at < file.length; at += at < header + 8 ? 1 : 211) {
      const changed = Buffer.from(file);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const code = expect.stringMatching(/^ERR_STORE_(CORRUPT|WRONG_KEY|NEWER_SCHEMA)$/) as unknown;
      await expect(open(changed, key)).rejects.toMatchObject({ code });
    }
  });

  test("that asks for gigabytes is refused before anything is computed or read", async () => {
    const file = await seal(random(10), PASSPHRASE);
    const cost = 12 + 2 + 32;
    for (const change of [
      (bytes: Buffer) => bytes.writeUInt32BE(8 * 1024 * 1024, cost),
      (bytes: Buffer) => bytes.writeUInt8(255, cost + 4),
      (bytes: Buffer) => bytes.writeUInt8(255, cost + 5),
      (bytes: Buffer) => bytes.writeUInt32BE(0, cost),
      (bytes: Buffer) => bytes.writeUInt32BE(0x7fff_ffff, 84),
    ]) {
      const changed = Buffer.from(file);
      change(changed);
      const code = expect.stringMatching(/^ERR_STORE_(CORRUPT|WRONG_KEY)$/) as unknown;
      await expect(open(changed, PASSPHRASE)).rejects.toMatchObject({ code });
    }
  });

  test("lets go of what it reads when nobody wants more", async () => {
    const file = await seal(random(3000), PASSPHRASE);
    let released = false;
    const source = async function* (): AsyncGenerator<Bytes> {
      try {
        yield* pieces(file, 100);
      } finally {
        released = true;
      }
    };
    for await (const part of openFile(source(), PASSPHRASE)) if (part.length > 0) break;
    expect(released).toBe(true);
  });
});

describe("a recovery key", () => {
  test("is 55 digits in groups, and is known again in any case and spacing, and with look-alikes", async () => {
    const key = await createRecoveryKey();
    expect(key).toMatch(/^([0-9A-HJKMNP-TV-Z]{5}-){10}[0-9A-HJKMNP-TV-Z]{5}$/);
    const file = await seal(random(5), { kind: "recovery", key });
    for (const written of [
      key.toLowerCase(),
      key.replaceAll("-", " "),
      key.replaceAll("0", "O").replaceAll("1", "l"),
    ]) {
      expect(await open(file, { kind: "recovery", key: written })).toHaveLength(5);
    }
  });

  test("that was mistyped is told apart from a wrong one", async () => {
    const key = await createRecoveryKey();
    const other = key.startsWith("0") ? "2" : "0";
    for (const mistyped of [other + key.slice(1), key.slice(1), `${key}0`, "", "U".repeat(55), "Z".repeat(55)]) {
      await expect(seal(random(5), { kind: "recovery", key: mistyped })).rejects.toMatchObject({
        code: "ERR_STORE_WRONG_KEY",
        message: expect.stringContaining("no recovery key") as unknown,
      });
    }
  });
});
