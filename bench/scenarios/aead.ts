/** AES-128-GCM with a key for each message: the kernel, noble and SubtleCrypto. */
import { createWasmKernel } from "@coppice/wasm";
import { gcm } from "@noble/ciphers/aes.js";
import type { Scenario } from "../src/scenario.ts";
import { assertSame, bytes } from "./inputs.ts";

const { aes128gcm } = createWasmKernel();
const { subtle } = globalThis.crypto;
const BATCH = 64;

interface Message {
  readonly key: Uint8Array<ArrayBuffer>;
  readonly nonce: Uint8Array<ArrayBuffer>;
  readonly aad: Uint8Array<ArrayBuffer>;
  readonly data: Uint8Array<ArrayBuffer>;
}

const message = (size: number, seed: number): Message => ({
  key: bytes(16, seed),
  nonce: bytes(12, seed),
  aad: bytes(40, seed),
  data: bytes(size, seed),
});

async function subtleSeal({ key, nonce, aad, data }: Message): Promise<Uint8Array> {
  const imported = await subtle.importKey("raw", key, "AES-GCM", false, ["encrypt"]);
  return new Uint8Array(await subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData: aad }, imported, data));
}

const nobleSeal = ({ key, nonce, aad, data }: Message): Uint8Array => gcm(key, nonce, aad).encrypt(data);

export const aeadScenarios: readonly Scenario[] = [
  {
    name: "aead: AES-128-GCM seal",
    sizes: [32, 200, 2_000],
    sizeUnit: "bytes",
    setup: async (size) => {
      const one = message(size, 1);
      const coppice = (): Uint8Array => aes128gcm.seal(one.key, one.nonce, one.aad, one.data);
      assertSame([coppice(), nobleSeal(one), await subtleSeal(one)]);
      return { coppice, peers: { "@noble/ciphers": () => nobleSeal(one), SubtleCrypto: () => subtleSeal(one) } };
    },
  },
  {
    name: `aead: AES-128-GCM seal, ${BATCH} of 200 bytes in one call`,
    sizes: [BATCH],
    sizeUnit: "messages",
    setup: async (count) => {
      const messages = Array.from({ length: count }, (_, index) => message(200, index));
      const coppice = (): Uint8Array[] => aes128gcm.sealMany(messages);
      const noble = (): Uint8Array[] => messages.map(nobleSeal);
      const platform = (): Promise<Uint8Array[]> => Promise.all(messages.map(subtleSeal));
      const [sealed, byNoble, byPlatform] = [coppice(), noble(), await platform()];
      for (const index of messages.keys()) {
        assertSame([sealed, byNoble, byPlatform].map((results) => results[index] ?? new Uint8Array()));
      }
      return { coppice, peers: { "@noble/ciphers": noble, SubtleCrypto: platform } };
    },
  },
];
