/** AEAD where implementations go wrong, after the families of Project Wycheproof: tags, lengths, counters, batches. */
import type { AeadMessage, WasmKernel } from "../../src/index.ts";
import { type ConformanceCase, concat, expect, expectError, expectSame, flipped } from "./case.ts";
import { AEADS, type AeadImplementation, type AeadName, type Answer, type Implementation } from "./implementations.ts";
import { Random } from "./random.ts";

const none = new Uint8Array(0);
const TAG = 16;

function message(random: Random, Nk: number, length: number, aadLength: number): AeadMessage {
  return { key: random.bytes(Nk), nonce: random.bytes(12), aad: random.bytes(aadLength), data: random.bytes(length) };
}

/** Tags that are wrong in every way an early exit, a signed comparison or a sum would miss. */
function wrongTags(tag: Uint8Array): readonly (readonly [string, Uint8Array])[] {
  const swap = (from: number, to: number): Uint8Array => {
    const copy = new Uint8Array(tag);
    [copy[from], copy[to]] = [tag[to] ?? 0, tag[from] ?? 0];
    return copy;
  };
  return [
    ...Array.from({ length: 8 * TAG }, (_, bit) => [`bit ${bit} flipped`, flipped(tag, bit)] as const),
    ["all bits flipped", tag.map((byte) => ~byte)],
    ["the first bit of every byte flipped", tag.map((byte) => byte ^ 0x80)],
    ["the last bit of every byte flipped", tag.map((byte) => byte ^ 0x01)],
    ["first and last byte flipped alike", flipped(flipped(tag, 0), 120)],
    ["two bytes in the same place of two words flipped alike", flipped(flipped(tag, 3), 67)],
    ["zeros", new Uint8Array(TAG)],
    ["ones", new Uint8Array(TAG).fill(255)],
    ["halves swapped", concat(tag.subarray(8), tag.subarray(0, 8))],
    ["two bytes swapped", tag[0] === tag[15] ? swap(0, 14) : swap(0, 15)],
    ["second half zeros", concat(tag.subarray(0, 8), new Uint8Array(8))],
    ["reversed", new Uint8Array(tag).reverse()],
  ];
}

/** Cases that every implementation has to pass by itself. */
function refusalCases(
  aead: AeadName,
  Nk: number,
  name: string,
  implementation: AeadImplementation,
): readonly ConformanceCase[] {
  const title = (what: string): string => `${aead}, ${name}: ${what}`;
  const refused = async (changed: AeadMessage, what: string): Promise<void> => {
    expectSame(await implementation.open(changed), undefined, what);
  };
  const sealed = async (plain: AeadMessage): Promise<Uint8Array> => (await implementation.seal(plain)) ?? none;
  return [
    {
      title: title("wrong tags are refused, of empty and of longer messages"),
      run: async () => {
        for (const length of [0, 1, 33]) {
          const plain = message(new Random(20 + length), Nk, length, length);
          const data = await sealed(plain);
          expectSame(await implementation.open({ ...plain, data }), plain.data, "the true tag");
          for (const [what, tag] of wrongTags(data.subarray(length))) {
            await refused({ ...plain, data: concat(data.subarray(0, length), tag) }, what);
          }
        }
      },
    },
    {
      title: title("truncated at every byte, extended at either end: refused"),
      run: async () => {
        const plain = message(new Random(21), Nk, 37, 5);
        const data = await sealed(plain);
        for (let length = 0; length < data.length; length++) {
          await refused({ ...plain, data: data.subarray(0, length) }, `the first ${length} bytes`);
          await refused({ ...plain, data: data.subarray(data.length - length) }, `the last ${length} bytes`);
        }
        await refused({ ...plain, data: concat(data, Uint8Array.of(0)) }, "a byte more");
        await refused({ ...plain, data: concat(Uint8Array.of(0), data) }, "a byte before");
      },
    },
    {
      title: title("every bit of ciphertext, associated data, nonce and key counts"),
      run: async () => {
        const plain = message(new Random(22), Nk, 21, 19);
        const good = { ...plain, data: await sealed(plain) };
        for (const part of ["key", "nonce", "aad", "data"] as const) {
          for (let bit = 0; bit < 8 * good[part].length; bit++) {
            await refused({ ...good, [part]: flipped(good[part], bit) }, `bit ${bit} of ${part}`);
          }
        }
      },
    },
    {
      title: title("associated data and ciphertext do not run into one another"),
      run: async () => {
        const plain = message(new Random(23), Nk, 32, 32);
        const data = await sealed(plain);
        const { aad } = plain;
        await refused({ ...plain, aad: aad.subarray(0, 16), data: concat(aad.subarray(16), data) }, "a block moved on");
        await refused({ ...plain, aad: concat(aad, data.subarray(0, 16)), data: data.subarray(16) }, "a block back");
        await refused({ ...plain, aad: concat(aad, Uint8Array.of(0)), data }, "associated data with a zero appended");
        await refused({ ...plain, aad: none, data }, "no associated data");
      },
    },
  ];
}

/** Cases in which the kernel has to give what a peer gives. */
function boundaryCases(
  kernel: WasmKernel,
  aead: AeadName,
  name: string,
  peer: AeadImplementation,
): readonly ConformanceCase[] {
  const own = kernel[aead];
  const title = (what: string): string => `${aead}, with ${name}: ${what}`;
  const same = async (plain: AeadMessage, what: string): Promise<void> => {
    const { key, nonce, aad, data } = plain;
    const sealed = own.seal(key, nonce, aad, data);
    expectSame(sealed, await peer.seal(plain), `${what}, sealed`);
    expectSame(own.open(key, nonce, aad, sealed), data, `${what}, opened`);
  };
  return [
    {
      title: title("nothing under nothing"),
      run: async () => {
        await same({ key: new Uint8Array(own.Nk), nonce: new Uint8Array(12), aad: none, data: none }, "empty");
      },
    },
    {
      title: title("data and associated data of every length from 0 to 1025, one by one and in a batch"),
      run: async () => {
        const random = new Random(24);
        const messages = Array.from({ length: 1026 }, (_, length) => message(random, own.Nk, length, 1025 - length));
        const expected = await Promise.all(messages.map(async (plain) => peer.seal(plain)));
        const batch = own.sealMany(messages);
        const opened = own.openMany(messages.map((plain, i) => ({ ...plain, data: expected[i] ?? none })));
        for (const [length, { key, nonce, aad, data }] of messages.entries()) {
          expectSame(own.seal(key, nonce, aad, data), expected[length], `${length} bytes`);
          expectSame(batch[length], expected[length], `${length} bytes in a batch`);
          expectSame(opened[length], data, `${length} bytes opened in a batch`);
        }
      },
    },
    {
      title: title("long associated data"),
      run: async () => {
        for (const length of [65_535, 65_536, 131_072, 300_001]) {
          await same(message(new Random(25), own.Nk, 3, length), `${length} bytes of it`);
        }
      },
    },
    {
      // Counters carry into their second byte after 256 blocks and into their third after 65,536.
      title: title("nonces of ones and of zeros, and counters that carry"),
      run: async () => {
        const block = aead === "chacha20poly1305" ? 64 : 16;
        for (const fill of [0x00, 0xff]) {
          for (const blocks of [254, 255, 256, 257, 65_537]) {
            const plain = message(new Random(26), own.Nk, blocks * block + 1, 0);
            await same({ ...plain, nonce: new Uint8Array(12).fill(fill) }, `${blocks} blocks`);
          }
        }
      },
    },
    {
      title: title("keys, nonces and data of zeros, ones and single bits"),
      run: async () => {
        const fills = [0x00, 0xff, 0x80, 0x01, 0x7f];
        for (const key of fills) {
          for (const data of fills) {
            const filled = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
            const plain = { key: filled(own.Nk, key), nonce: filled(12, data), aad: filled(48, key) };
            await same({ ...plain, data: filled(96, data) }, `${key} and ${data}`);
          }
        }
      },
    },
  ];
}

function ownCases(kernel: WasmKernel, aead: AeadName): readonly ConformanceCase[] {
  const own = kernel[aead];
  const open = ({ key, nonce, aad, data }: AeadMessage): Answer => own.open(key, nonce, aad, data);
  return [
    {
      title: `${aead}: keys and nonces of other lengths are refused, and the kernel stays usable`,
      run: () => {
        const good = message(new Random(27), own.Nk, 40, 4);
        const before = own.seal(good.key, good.nonce, good.aad, good.data);
        const wrong = [
          ...[0, 1, 15, 16, 17, 24, 31, 32, 33, 64].filter((length) => length !== own.Nk).map((n) => ({ key: n })),
          ...[0, 8, 11, 13, 16, 24].map((nonce) => ({ nonce })),
        ];
        for (const { key = own.Nk, nonce = 12 } of wrong.map((change: { key?: number; nonce?: number }) => change)) {
          const bad = { ...good, key: new Uint8Array(key), nonce: new Uint8Array(nonce) };
          const what = `key of ${key}, nonce of ${nonce}`;
          expectError(RangeError, () => own.seal(bad.key, bad.nonce, bad.aad, bad.data), `seal, ${what}`);
          expectError(RangeError, () => open(bad), `open, ${what}`);
          expectError(RangeError, () => own.sealMany([good, bad]), `sealMany, ${what}`);
          expectError(RangeError, () => own.openMany([good, bad]), `openMany, ${what}`);
        }
        expectSame(own.seal(good.key, good.nonce, good.aad, good.data), before, "sealed after refusals");
      },
    },
    {
      title: `${aead}: a batch of none, of empty messages, with one forged at every place`,
      run: () => {
        expect(own.sealMany([]).length === 0 && own.openMany([]).length === 0, "none");
        for (const length of [0, 200]) {
          const messages = Array.from({ length: 19 }, (_, i) => message(new Random(30 + i), own.Nk, length, i));
          const sealed = own.sealMany(messages).map((data, i) => ({ ...messages[i], data }) as AeadMessage);
          for (const [forged] of sealed.entries()) {
            const batch = sealed.map((m, i) => (i === forged ? { ...m, data: flipped(m.data, 8 * length) } : m));
            for (const [i, opened] of own.openMany(batch).entries()) {
              const what = `message ${i} of ${length} bytes beside forged ${forged}`;
              expectSame(opened, i === forged ? undefined : messages[i]?.data, what);
            }
          }
        }
      },
    },
    {
      title: `${aead}: 16 MiB, and the same with one bit changed`,
      run: () => {
        const plain = { ...message(new Random(28), own.Nk, 0, 9), data: new Uint8Array(2 ** 24).fill(0x5a) };
        const sealed = own.seal(plain.key, plain.nonce, plain.aad, plain.data);
        const opened = open({ ...plain, data: sealed });
        // Not expectSame: comparing by callback takes long on 16 MiB in an interpreter.
        expect(opened?.length === plain.data.length && opened.indexOf(0x5a) === 0, "opened");
        expect(opened.findIndex((byte) => byte !== 0x5a) === -1, "what was opened is not what was sealed");
        sealed[2 ** 23] = (sealed[2 ** 23] ?? 0) ^ 1;
        expectSame(open({ ...plain, data: sealed }), undefined, "one bit changed");
      },
    },
    {
      title: `${aead}: arguments are read where they lie and are not changed`,
      run: () => {
        const backing = new Random(29).bytes(300);
        const copy = new Uint8Array(backing);
        const key = backing.subarray(1, 1 + own.Nk);
        const [nonce, aad, data] = [backing.subarray(40, 52), backing.subarray(53, 80), backing.subarray(81, 299)];
        const sealed = own.seal(key, nonce, aad, data);
        const sealedCopy = new Uint8Array(sealed);
        expectSame(own.open(key, nonce, aad, sealed), data, "opened");
        expectSame(own.openMany([{ key, nonce, aad, data: sealed }])[0], data, "opened in a batch");
        own.sealMany([{ key, nonce, aad, data }]);
        expectSame(backing, copy, "arguments after the calls");
        expectSame(sealed, sealedCopy, "ciphertext after the calls");
      },
    },
  ];
}

export function aeadEdgeCases(kernel: WasmKernel, all: readonly Implementation[]): readonly ConformanceCase[] {
  return AEADS.flatMap((aead) => {
    const having = all.flatMap((implementation) => {
      const one = implementation.aead(aead);
      return one === undefined ? [] : [{ name: implementation.name, one }];
    });
    return [
      ...having.flatMap(({ name, one }) => refusalCases(aead, kernel[aead].Nk, name, one)),
      ...having.slice(1).flatMap(({ name, one }) => boundaryCases(kernel, aead, name, one)),
      ...ownCases(kernel, aead),
    ];
  });
}
