/** Authenticated encryption of one message (RFC 5116); MLS uses each key once or a few times. */
import type { AeadKernel } from "@coppice/wasm";
import { CoppiceError } from "../errors.ts";
import { type Bytes, EMPTY, erase } from "../codec/bytes.ts";
import { subtle, unshared, works } from "./platform.ts";

/** An AEAD of the suite table. The tag (16 bytes) stands at the end of the ciphertext (R-5.1-2). */
export interface Aead {
  /** Key length in bytes. */
  readonly Nk: number;
  /** Nonce length in bytes. */
  readonly Nn: 12;
  /** Has read the plaintext when it returns: the caller may overwrite it then. */
  readonly seal: (key: Bytes, nonce: Bytes, aad: Bytes, plaintext: Bytes) => Promise<Bytes>;
  /** `ERR_MLS_AEAD` if the ciphertext does not authenticate. */
  readonly open: (key: Bytes, nonce: Bytes, aad: Bytes, ciphertext: Bytes) => Promise<Bytes>;
}

/** What a ciphertext is refused with that was changed, or made with another key. */
export const notAuthentic = (cause?: unknown): CoppiceError =>
  new CoppiceError("ERR_MLS_AEAD", "The ciphertext does not authenticate", cause === undefined ? {} : { cause });

/** On the kernel: synchronous underneath, in constant time, without a key import per message. */
export function kernelAead(kernel: AeadKernel): Aead {
  return {
    Nk: kernel.Nk,
    Nn: 12,
    seal: (key, nonce, aad, plaintext) => Promise.resolve(kernel.seal(key, nonce, aad, plaintext)),
    open: (key, nonce, aad, ciphertext) => {
      const plaintext = kernel.open(key, nonce, aad, ciphertext);
      return plaintext === undefined ? Promise.reject(notAuthentic()) : Promise.resolve(plaintext);
    },
  };
}

/** Bytes from which on SubtleCrypto is faster: it has the processor's instructions, but takes a key import and a turn. */
const LONG = 2 ** 14;

/** AES-GCM on the kernel, and on SubtleCrypto for what is long: a Welcome carries the tree. */
export async function aesGcmByLength(kernel: AeadKernel): Promise<Aead> {
  const [short, long] = [kernelAead(kernel), aesGcm(kernel.Nk)];
  if (!(await works(() => long.seal(new Uint8Array(kernel.Nk), new Uint8Array(12), EMPTY, EMPTY)))) return short;
  const fit = ({ length }: Bytes): Aead => (length < LONG ? short : long);
  return {
    ...short,
    seal: (...parameters) => fit(parameters[3]).seal(...parameters),
    open: (...parameters) => fit(parameters[3]).open(...parameters),
  };
}

/** AES-GCM on SubtleCrypto. */
export function aesGcm(Nk: number): Aead {
  const run = async (
    operation: "encrypt" | "decrypt",
    key: Bytes,
    nonce: Bytes,
    aad: Bytes,
    data: Bytes,
  ): Promise<Bytes> => {
    const imported = await subtle().importKey("raw", unshared(key), "AES-GCM", false, [operation]);
    const parameters = { name: "AES-GCM", iv: nonce, additionalData: unshared(aad) };
    return new Uint8Array(await subtle()[operation](parameters, imported, unshared(data)));
  };
  return {
    Nk,
    Nn: 12,
    seal: (key, nonce, aad, plaintext) => {
      const copy = new Uint8Array(plaintext);
      return run("encrypt", key, nonce, aad, copy).finally(() => {
        erase(copy);
      });
    },
    open: async (key, nonce, aad, ciphertext) => {
      if (ciphertext.length < 16) throw notAuthentic();
      try {
        return await run("decrypt", key, nonce, aad, ciphertext);
      } catch (cause) {
        throw notAuthentic(cause);
      }
    },
  };
}

/** ChaCha20-Poly1305 on noble, for places without WebAssembly: not every engine's SubtleCrypto has it. */
export async function chacha20Poly1305(): Promise<Aead> {
  const { chacha20poly1305 } = await import("@noble/ciphers/chacha.js");
  return {
    Nk: 32,
    Nn: 12,
    seal: (key, nonce, aad, plaintext) =>
      Promise.resolve(new Uint8Array(chacha20poly1305(key, nonce, aad).encrypt(plaintext))),
    open: (key, nonce, aad, ciphertext) => {
      try {
        return Promise.resolve(new Uint8Array(chacha20poly1305(key, nonce, aad).decrypt(ciphertext)));
      } catch (cause) {
        return Promise.reject(notAuthentic(cause));
      }
    },
  };
}
