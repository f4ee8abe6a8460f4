/** AEAD with a key for each message: the kernel, noble and SubtleCrypto, where it has the algorithm. */
import type { AeadKernel, AeadMessage } from "@coppice/wasm";
import { createWasmKernel } from "@coppice/wasm/full";
import { gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import type { Operation, Scenario } from "../src/scenario.ts";
import { assertSame, bytes } from "./inputs.ts";

const kernel = createWasmKernel();
const { subtle } = globalThis.crypto;

interface Message extends AeadMessage {
  readonly key: Uint8Array<ArrayBuffer>;
  readonly nonce: Uint8Array<ArrayBuffer>;
  readonly aad: Uint8Array<ArrayBuffer>;
  readonly data: Uint8Array<ArrayBuffer>;
}

/** An AEAD and its peers. */
interface Algorithm {
  readonly name: AeadKernel["name"];
  readonly own: AeadKernel;
  readonly noble: (
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
  ) => Readonly<Record<"encrypt" | "decrypt", (data: Uint8Array) => Uint8Array>>;
  /** SubtleCrypto's name for it, and the format of its keys. */
  readonly platform: string;
  readonly format: string;
}

const AES_128: Algorithm = {
  name: "AES-128-GCM",
  own: kernel.aes128gcm,
  noble: gcm,
  platform: "AES-GCM",
  format: "raw",
};
const AES_256: Algorithm = { ...AES_128, name: "AES-256-GCM", own: kernel.aes256gcm };
const CHACHA: Algorithm = {
  name: "ChaCha20-Poly1305",
  own: kernel.chacha20poly1305,
  noble: chacha20poly1305,
  platform: "ChaCha20-Poly1305",
  format: "raw-secret",
};

const message = ({ own }: Algorithm, size: number, seed: number): Message => ({
  key: bytes(own.Nk, seed),
  nonce: bytes(12, seed),
  aad: bytes(40, seed),
  data: bytes(size, seed),
});

async function platformCrypt(
  { platform, format }: Algorithm,
  direction: "encrypt" | "decrypt",
  { key, nonce, aad, data }: Message,
): Promise<Uint8Array> {
  // TypeScript does not know the format "raw-secret" yet.
  const imported = await subtle.importKey(format as "raw", key, platform, false, [direction]);
  return new Uint8Array(await subtle[direction]({ name: platform, iv: nonce, additionalData: aad }, imported, data));
}

/** The contestant on the platform, where it has the algorithm. */
async function platformPeer(
  algorithm: Algorithm,
  direction: "encrypt" | "decrypt",
  messages: readonly Message[],
): Promise<Record<string, () => Promise<Uint8Array[]>>> {
  const run = (): Promise<Uint8Array[]> => Promise.all(messages.map((one) => platformCrypt(algorithm, direction, one)));
  try {
    await run();
  } catch (error) {
    if (algorithm !== CHACHA) throw error;
    return {};
  }
  return { SubtleCrypto: run };
}

const sealed = (algorithm: Algorithm, one: Message): Message => ({
  ...one,
  data: new Uint8Array(algorithm.own.seal(one.key, one.nonce, one.aad, one.data)),
});

const SIZE = 200;

function openMany(algorithm: Algorithm, title: string, bound: Pick<Scenario, "promise" | "reference">): Scenario {
  return {
    name: `kernel: ${algorithm.name} open, ${SIZE} bytes under a key each${title}`,
    sizes: [1_000],
    sizeUnit: "messages",
    ...bound,
    setup: async (count) => {
      const plain = Array.from({ length: count }, (_, index) => message(algorithm, SIZE, index));
      const messages = plain.map((one) => sealed(algorithm, one));
      const coppice = (): (Uint8Array | undefined)[] => algorithm.own.openMany(messages);
      const noble = (): Uint8Array[] =>
        messages.map(({ key, nonce, aad, data }) => algorithm.noble(key, nonce, aad).decrypt(data));
      const platform = await platformPeer(algorithm, "decrypt", messages);
      const [own, byNoble, byPlatform] = [coppice(), noble(), await platform["SubtleCrypto"]?.()];
      for (const [index, { data }] of plain.entries()) {
        assertSame([data, own[index], byNoble[index], byPlatform ? byPlatform[index] : data].map(orNothing));
      }
      return { coppice, peers: { "@noble/ciphers": noble, ...platform } };
    },
  };
}

const orNothing = (data: Uint8Array | undefined): Uint8Array => data ?? new Uint8Array(0);

function one(algorithm: Algorithm, sizes: readonly number[]): readonly Scenario[] {
  const contest = (direction: "encrypt" | "decrypt"): Scenario => ({
    name: `kernel: ${algorithm.name} ${direction === "encrypt" ? "seal" : "open"}, one message`,
    sizes,
    sizeUnit: "bytes",
    setup: async (size) => {
      const plain = message(algorithm, size, 1);
      const input = direction === "encrypt" ? plain : sealed(algorithm, plain);
      const { key, nonce, aad, data } = input;
      const own: Operation =
        direction === "encrypt"
          ? () => algorithm.own.seal(key, nonce, aad, data)
          : () => algorithm.own.open(key, nonce, aad, data);
      const noble = (): Uint8Array => algorithm.noble(key, nonce, aad)[direction](data);
      const platform = await platformPeer(algorithm, direction, [input]);
      const [byPlatform] = (await platform["SubtleCrypto"]?.()) ?? [noble()];
      assertSame([own(0) as Uint8Array, noble(), orNothing(byPlatform)]);
      return { coppice: own, peers: { "@noble/ciphers": noble, ...platform } };
    },
  });
  return [contest("encrypt"), contest("decrypt")];
}

export const aeadScenarios: readonly Scenario[] = [
  // Two promises for one function, each beside the peer that it is made about.
  openMany(AES_128, "", { promise: 0.25, reference: "@noble/ciphers" }),
  openMany(AES_128, ", beside the platform", { promise: 0.5, reference: "SubtleCrypto" }),
  openMany(AES_256, "", { promise: 0.25, reference: "@noble/ciphers" }),
  openMany(CHACHA, "", { promise: 0.5, reference: "@noble/ciphers" }),
  ...one(AES_128, [32, 200, 2_000]),
  ...one(AES_256, [200]),
  ...one(CHACHA, [32, 200, 2_000]),
];
