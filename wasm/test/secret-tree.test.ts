import { describe, expect, it } from "vitest";
import { hex, holdsPartOf, openKernel, random, toHex } from "./support.ts";

const { kernel, exports, memory } = openKernel();
const fresh = memory();
const none = new Uint8Array(0);

// secret-tree.json of the MLS working group, trees of one leaf: the root's secret is the leaf's.
const vectors = [
  {
    suite: 1,
    hash: kernel.sha256,
    encryptionSecret: "d69fcc35969e94680461974bd26c7cda7594cbf45985c4bf668c3b3118b765ab",
    generations: [
      {
        generation: 0,
        application: "442e691710646617a21e41482d868a4e c76e37884536a9ce33fb3070",
        handshake: "a2d6b8a9255478e9b79a076872ae3563 8e8fc08a4eb5189b7b558527",
      },
      {
        generation: 15,
        application: "0f2d1b9e1d5c09abefb0edabd8349e9f a08d3a0243b6216cc92671ec",
        handshake: "6121c93d8e92e76320087e5d646a3bf2 961e5b73d62b72743b900c88",
      },
    ],
  },
  {
    suite: 3,
    hash: kernel.sha256,
    encryptionSecret: "59227ed552e4a6db0779d43aea694fd1b2c2540e605a099b95cf852b41e8ea66",
    generations: [
      {
        generation: 0,
        application: "3f57aae38cbe6eaf31e4c05bd4a6aeba50c6878fa6fc2443bb8f3e57870fe712 4b2599c99b38c18775c85008",
        handshake: "2ef3c21ad150b59cc78b21bd96e5dc0bd2579e19c7a46b7581fb1969103389d2 5794013a45e0563de4d35ce0",
      },
      {
        generation: 15,
        application: "bd44b39e16d4d59750469719cd330e4a52ecf5a1c9060254fac3e8ef73f4cf9b 82f8881240b93d1611b34e8c",
        handshake: "488400e9d1a4a1d48e94da89dbc6c306d6479004e26aaade4101dd2fd86f2c21 424c2809d87242ecbb1da91f",
      },
    ],
  },
  {
    suite: 4,
    hash: kernel.sha512,
    encryptionSecret:
      "a331a17ca315b36349f9909849d8778df99fabac362abf8bdc4bb39262a36b7100524cef1fb030f4e7902ce95e13ea52fdb64530a3e441394ace0da8f494c5ce",
    generations: [
      {
        generation: 0,
        application: "ca2e89e4a0d6da019ddb9224f9f1ba42817084901998303e98218591451d8f9a 6508cd1e74b2a32466913c09",
        handshake: "4e93e97b97281fa10d599a2cc7a68e22cdad4a8bf21ed90f3fddcc1a72febb45 ab03b11852dda14c905bd0ea",
      },
      {
        generation: 15,
        application: "42eb946b59214b61a45c017daa507689af44041becde0fd3c480e5a2c77f96d0 cee8cfe67d1742cf10a48bb7",
        handshake: "c8aad473cb45b44f7c1e2bf4038eacc32f2ba9e72a14ab452f922a1bc5d9e4cd bc087e45201d5f828c9f528d",
      },
    ],
  },
  {
    suite: 7,
    hash: kernel.sha384,
    encryptionSecret:
      "4c120dab879405625c1fb68e22c365677d68c61dfc126d1c9edc5a4a3584fb69c6d1fe07a585cd81a7694c688d9b6479",
    generations: [
      {
        generation: 0,
        application: "7793b9198bdb388d3f07d316d7c96707c505bb8fdc4e2ddf60a071496d2c4af2 c6e2923a16e703e4db01ed36",
        handshake: "2f8e811b35298b1da0710a147fecf71b25190fe571656db0c61e3922cc57077f 73fb061cafa9dffc4b5313f6",
      },
      {
        generation: 15,
        application: "3e1dbf1c3cec4ce546d020a23e15e3500633aaa8a60d5cc093735026373112ed e89663e6c2e806407d309cb1",
        handshake: "e5db5bb118d12dc69bc05375f682bd81106c9c04ced2fe088d380298f4d471bf 6e9a5bc9ef86abfb8bd23b06",
      },
    ],
  },
];

describe("R-9.1-2 known answers of the ratchets", () => {
  it.each(vectors)("suite $suite", ({ hash, encryptionSecret, generations }) => {
    for (const ratchetType of ["handshake", "application"] as const) {
      const start = hash.expandWithLabel(hex(encryptionSecret), ratchetType, none, hash.Nh);
      for (const answer of generations) {
        const [key = "", nonce = ""] = answer[ratchetType].split(" ");
        const [Nk, Nn] = [key.length / 2, nonce.length / 2];
        const run = hash.ratchet({ secret: start, generation: 0, count: answer.generation + 1, Nk, Nn });
        const last = run.keys.at(-1);
        expect(run.keys.length).toBe(answer.generation + 1);
        expect([toHex(last?.key ?? none), toHex(last?.nonce ?? none)]).toEqual([key, nonce]);
      }
    }
  });
});

describe.each([kernel.sha256, kernel.sha384, kernel.sha512])("ratchet, $name", (hash) => {
  const { bytes } = random(0x7a7c);

  it("R-9.1-1 is DeriveTreeSecret, step by step, in one call or in several", () => {
    // 1000 generations exceed the output of the kernel.
    for (const [generation, count] of [
      [0, 1],
      [0, 3],
      [255, 2],
      [0xfffffffe, 2],
      [7, 0],
      [65_530, 1000],
    ] as const) {
      const secret = bytes(hash.Nh);
      const run = hash.ratchet({ secret, generation, count, Nk: 16, Nn: 12 });
      expect(run.keys.length).toBe(count);
      let current: Uint8Array = secret;
      for (const [i, { key, nonce }] of run.keys.entries()) {
        const context = new Uint8Array(4);
        new DataView(context.buffer).setUint32(0, generation + i);
        expect(toHex(key)).toBe(toHex(hash.expandWithLabel(current, "key", context, 16)));
        expect(toHex(nonce)).toBe(toHex(hash.expandWithLabel(current, "nonce", context, 12)));
        current = hash.expandWithLabel(current, "secret", context, hash.Nh);
      }
      expect(toHex(run.secret)).toBe(toHex(current));
      expect(Buffer.compare(memory(), fresh)).toBe(0);
    }
  });

  it("does not touch the secret it is given, not even in a Buffer", () => {
    const secret = Buffer.from(bytes(hash.Nh));
    const before = toHex(secret);
    const run = hash.ratchet({ secret, generation: 0, count: 2, Nk: 32, Nn: 12 });
    expect(toHex(secret)).toBe(before);
    expect(holdsPartOf(memory(), secret)).toBe(false);
    expect(run.secret.buffer.byteLength).toBe(hash.Nh);
    expect(toHex(hash.ratchet({ secret, generation: 9, count: 0, Nk: 32, Nn: 12 }).secret)).toBe(before);
  });

  it.each([
    ["a secret of another length", { secret: new Uint8Array(31) }],
    ["no key", { Nk: 0 }],
    ["no nonce", { Nn: 0 }],
    ["a long key", { Nk: 33 }],
    ["a negative generation", { generation: -1 }],
    ["a generation beyond 32 bits", { generation: 2 ** 32 }],
    ["R-9.1-5: a run beyond the last generation", { generation: 0xffffffff, count: 2 }],
    ["part of a generation", { count: 0.5 }],
    ["a count that is no number", { count: NaN }],
  ])("%s is a RangeError", (_name, change) => {
    const run = { secret: new Uint8Array(hash.Nh), generation: 0, count: 1, Nk: 16, Nn: 12 };
    expect(() => hash.ratchet({ ...run, ...change })).toThrow(RangeError);
    expect(() => hash.ratchet({ ...run, secret: "x".repeat(hash.Nh) as unknown as Uint8Array })).toThrow(TypeError);
  });
});

describe.each([kernel.sha256, kernel.sha384, kernel.sha512])("expandMany, $name", (hash) => {
  const { bytes, below } = random(0xe4);
  const single = (secret: Uint8Array, expansions: Parameters<typeof hash.expandMany>[1]): string[] =>
    expansions.map(({ label, context, length }) => toHex(hash.expandWithLabel(secret, label, context, length)));

  it.each([
    ["none", 32, (): Parameters<typeof hash.expandMany>[1] => []],
    [
      "the children of a node",
      hash.Nh,
      () => ["left", "right"].map((side) => ({ label: "tree", context: Buffer.from(side), length: hash.Nh })),
    ],
    [
      "lengths of all kinds",
      hash.Nh,
      () => Array.from({ length: 60 }, (_, i) => ({ label: "l".repeat(i), context: bytes(3 * i), length: below(200) })),
    ],
    [
      "more output than the kernel holds",
      hash.Nh,
      () => Array.from({ length: 3 }, () => ({ label: "x", context: none, length: 200 * hash.Nh })),
    ],
    [
      "more input than the kernel holds",
      hash.Nh,
      () => Array.from({ length: 3 }, (_, i) => ({ label: "x", context: new Uint8Array(60_000).fill(i), length: 5 })),
    ],
    ["a label that is not ASCII", hash.Nh, () => ["a", "ä"].map((label) => ({ label, context: bytes(5), length: 5 }))],
    ["a long secret", 300, () => ["a", "b"].map((label) => ({ label, context: bytes(5), length: 5 }))],
    ["an empty secret", 0, () => ["a", "b"].map((label) => ({ label, context: bytes(5), length: 0 }))],
  ])("%s", (_name, secretLength, make) => {
    const secret = bytes(secretLength);
    const expansions = make();
    expect(hash.expandMany(secret, expansions).map(toHex)).toEqual(single(secret, expansions));
    expect(Buffer.compare(memory(), fresh)).toBe(0);
  });

  it("refuses wrong arguments and erases what it has written", () => {
    const [secret, context] = [bytes(hash.Nh), bytes(5)];
    const detached = bytes(32);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    const good = { label: "a", context, length: 5 };
    expect(() => hash.expandMany(secret, [good, { ...good, length: 255 * hash.Nh + 1 }])).toThrow(RangeError);
    expect(() => hash.expandMany(secret, [good, { ...good, context: detached }])).toThrow(TypeError);
    expect(() => hash.expandMany(secret, [{ ...good, label: 5 as unknown as string }])).toThrow(TypeError);
    expect(() => hash.expandMany("secret" as unknown as Uint8Array, [good])).toThrow(TypeError);
    expect(Buffer.compare(memory(), fresh)).toBe(0);
  });
});

describe("the kernel's own checks", () => {
  const base = Number(exports.arena.value);
  const arenaSize = Number(exports.capacity.value);
  it.each([
    [
      "a run whose keys exceed the output",
      [],
      (): void => {
        exports.ratchet(0, 0, 600, 16, 12);
      },
    ],
    [
      "a run whose output wraps",
      [],
      (): void => {
        exports.ratchet(0, 0, 0xffffffff, 0xff, 0xff);
      },
    ],
    [
      "a key longer than HKDF-Expand gives",
      [],
      (): void => {
        exports.ratchet(0, 0, 1, 255 * 32 + 1, 1);
      },
    ],
    [
      "a table beyond the arena",
      [],
      (): void => {
        exports.expandMany(0, 0, 0x20000000, 0);
      },
    ],
    [
      "a context beyond the arena",
      [1, arenaSize, 1],
      (): void => {
        exports.expandMany(0, 0, 1, 1);
      },
    ],
    [
      "lengths whose sum wraps",
      [0xffffffff, 0xffffffff, 1],
      (): void => {
        exports.expandMany(0, 0, 1, 1);
      },
    ],
    [
      "outputs that are not their sum",
      [1, 1, 33],
      (): void => {
        exports.expandMany(0, 0, 1, 32);
      },
    ],
    [
      "an output longer than HKDF-Expand gives",
      [1, 1, 8161],
      (): void => {
        exports.expandMany(0, 0, 1, 8161);
      },
    ],
    [
      "outputs beyond the output",
      [],
      (): void => {
        exports.expandMany(0, 0, 0, 20_000);
      },
    ],
    [
      "a secret longer than a block",
      [],
      (): void => {
        exports.expandMany(0, 65, 0, 0);
      },
    ],
  ] as const)("%s: traps and touches nothing", (_name, table, call) => {
    const view = new DataView(exports.memory.buffer, base);
    for (const [i, length] of table.entries()) view.setUint32(4 * i, length, true);
    expect(call).toThrow(WebAssembly.RuntimeError);
    for (const i of table.keys()) view.setUint32(4 * i, 0, true);
    expect(Buffer.compare(memory(), fresh)).toBe(0);
  });
});
