/** Hashing and key derivation where implementations go wrong: block boundaries, extreme lengths, bad arguments. */
import type { WasmKernel } from "../../src/index.ts";
import { type ConformanceCase, concat, expect, expectError, expectSame } from "./case.ts";
import { HASHES, type HashName, type Implementation } from "./implementations.ts";
import { Random } from "./random.ts";

const none = new Uint8Array(0);

function boundaryCases(kernel: WasmKernel, hash: HashName, peer: Implementation): readonly ConformanceCase[] {
  const own = kernel[hash];
  const { Nh } = own;
  const title = (what: string): string => `${what}: ${hash}, with ${peer.name}`;
  return [
    {
      title: title("every length from 0 to 1025, one by one and in a batch"),
      run: async () => {
        const random = new Random(1025);
        const messages = Array.from({ length: 1026 }, (_, length) => random.bytes(length));
        const expected = await Promise.all(messages.map(async (data) => peer.digest(hash, data)));
        const batch = own.digestMany(messages);
        for (const [length, data] of messages.entries()) {
          expectSame(own.digest(data), expected[length], `digest of ${length} bytes`);
          expectSame(batch[length], expected[length], `digest of ${length} bytes in a batch`);
        }
      },
    },
    {
      title: title("a megabyte and one byte"),
      run: async () => {
        const data = new Random(1).bytes(2 ** 20 + 1);
        expectSame(own.digest(data), await peer.digest(hash, data), "digest");
        expectSame(own.hmac(data, data), await peer.hmac(hash, data, data), "HMAC");
      },
    },
    {
      title: title("HMAC keys around a block, with no data and with some"),
      run: async () => {
        const random = new Random(2);
        for (const length of [0, 1, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1000]) {
          const key = random.bytes(length);
          for (const data of [none, random.bytes(77)]) {
            expectSame(own.hmac(key, data), await peer.hmac(hash, key, data), `key of ${length} bytes`);
          }
        }
        // A key and the same key with zeros behind it are one key (RFC 2104 §2).
        expectSame(own.hmac(Uint8Array.of(1), none), own.hmac(Uint8Array.of(1, 0, 0), none), "padded key");
      },
    },
    {
      title: title("HKDF-Expand of every length up to three blocks, and of the greatest"),
      run: async () => {
        const [prk, info] = [new Random(3).bytes(Nh), new Random(4).bytes(40)];
        const lengths = [...Array.from({ length: 3 * Nh + 2 }, (_, i) => i), 255 * Nh - 1, 255 * Nh];
        const longest = await peer.expand(hash, prk, info, 255 * Nh);
        for (const length of lengths) {
          // Output of HKDF is the beginning of longer output.
          expectSame(own.expand(prk, info, length), longest?.subarray(0, length), `${length} bytes`);
        }
      },
    },
    {
      title: title("labels and contexts where the encoding of their length changes"),
      run: async () => {
        const secret = new Random(5).bytes(Nh);
        // "MLS 1.0 " has eight bytes: 55 and 56 are 63 and 64; é has two.
        const labels = ["", "x".repeat(55), "x".repeat(56), "é".repeat(27), "é".repeat(28), "x".repeat(16_376)];
        const contexts = [0, 63, 64, 16_383, 16_384].map((length) => new Random(6).bytes(length));
        for (const label of labels) {
          for (const context of contexts) {
            const labelled = { secret, label, context, length: Nh };
            const what = `label of ${label.length}, context of ${context.length}`;
            const expected = await peer.expandWithLabel(hash, labelled);
            expectSame(own.expandWithLabel(secret, label, context, Nh), expected, what);
            expectSame(own.expandMany(secret, [labelled])[0], expected, `${what}, in a batch`);
          }
        }
      },
    },
  ];
}

function ownCases(kernel: WasmKernel, hash: HashName): readonly ConformanceCase[] {
  const own = kernel[hash];
  const { Nh } = own;
  const secret = new Random(8).bytes(Nh);
  return [
    {
      title: `${hash}: batches of nothing`,
      run: () => {
        expect(own.digestMany([]).length === 0, "digestMany");
        expect(own.expandMany(secret, []).length === 0, "expandMany");
        const run = own.ratchet({ secret, generation: 0, count: 0, Nk: 16, Nn: 12 });
        expect(run.keys.length === 0, "ratchet");
        expectSame(run.secret, secret, "secret of a ratchet that does not move");
      },
    },
    {
      title: `${hash}: the last generation, and none after it`,
      run: () => {
        const last = { secret, generation: 2 ** 32 - 1, Nk: 16, Nn: 12 };
        const context = Uint8Array.of(255, 255, 255, 255);
        const [keys] = own.ratchet({ ...last, count: 1 }).keys;
        expectSame(keys?.key, own.expandWithLabel(secret, "key", context, 16), "key");
        expectError(RangeError, () => own.ratchet({ ...last, count: 2 }), "a generation too far");
        expectError(RangeError, () => own.ratchet({ ...last, generation: 2 ** 32, count: 0 }), "2^32");
      },
    },
    {
      title: `${hash}: HKDF-Expand of secrets shorter than a hash, which noble refuses`,
      run: () => {
        for (const length of [0, 1, Nh - 1]) {
          const [prk, info] = [new Random(10).bytes(length), new Random(11).bytes(9)];
          const expected = own.hmac(prk, concat(info, Uint8Array.of(1)));
          expectSame(own.expand(prk, info, Nh), expected, `secret of ${length} bytes`);
        }
      },
    },
    {
      title: `${hash}: lengths that do not exist are refused, and the kernel stays usable`,
      run: () => {
        const before = own.digest(secret);
        for (const length of [-1, 0.5, Number.NaN, Infinity, 255 * Nh + 1, 2 ** 32]) {
          expectError(RangeError, () => own.expand(secret, none, length), `expand to ${length}`);
          expectError(RangeError, () => own.expandWithLabel(secret, "x", none, length), `label to ${length}`);
          expectError(RangeError, () => own.expandMany(secret, [{ label: "x", context: none, length }]), `${length}`);
          expectError(RangeError, () => own.ratchet({ secret, generation: 0, count: 1, Nk: length, Nn: 12 }), "Nk");
        }
        for (const wrong of [secret.subarray(1), none, new Uint8Array(Nh + 1)]) {
          const run = { secret: wrong, generation: 0, count: 1, Nk: 16, Nn: 12 };
          expectError(RangeError, () => own.ratchet(run), `ratchet secret of ${wrong.length}`);
        }
        expectSame(own.digest(secret), before, "digest after refusals");
      },
    },
    {
      title: `${hash}: a detached buffer is refused, and the kernel stays usable`,
      run: () => {
        const before = own.digest(secret);
        const detached = new Uint8Array(20);
        structuredClone(detached.buffer, { transfer: [detached.buffer] });
        // A view of a detached buffer has no bytes, or it is refused: never zeros of its former length.
        for (const call of [() => own.digest(detached), () => own.digestMany([detached])[0]]) {
          let digest: Uint8Array | undefined;
          try {
            digest = call();
          } catch (error) {
            expect(error instanceof TypeError, `expected a TypeError, got ${String(error)}`);
          }
          if (digest !== undefined) expectSame(digest, own.digest(none), "digest of a detached buffer");
        }
        expectSame(own.digest(secret), before, "digest after refusals");
      },
    },
    {
      title: `${hash}: arguments are read where they lie and are not changed`,
      run: () => {
        const backing = new Random(9).bytes(200);
        const copy = new Uint8Array(backing);
        const [key, data] = [backing.subarray(3, 40), backing.subarray(41, 190)];
        expectSame(own.hmac(key, data), own.hmac(new Uint8Array(key), new Uint8Array(data)), "HMAC of views");
        own.digestMany([key, data]);
        own.expandMany(key, [{ label: "x", context: data, length: 32 }]);
        own.ratchet({ secret: backing.subarray(5, 5 + Nh), generation: 1, count: 3, Nk: 16, Nn: 12 });
        expectSame(backing, copy, "arguments after the calls");
      },
    },
  ];
}

export function hashEdgeCases(kernel: WasmKernel, peers: readonly Implementation[]): readonly ConformanceCase[] {
  return HASHES.flatMap((hash) => [
    ...peers.flatMap((peer) => boundaryCases(kernel, hash, peer)),
    ...ownCases(kernel, hash),
  ]);
}
