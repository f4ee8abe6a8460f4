/** `MessageKernel` over the WASM kernel. */
import type { Arena } from "./arena.ts";
import { checkBytes, checkRange } from "./check.ts";
import { abandon } from "./hash-context.ts";
import type { KernelExports } from "./instantiate.ts";
import type { Bytes, MessageKernel, MessageToSeal, SealedContent, SealedMessage, SealedSenderData } from "./kernel.ts";
import { extentOf, NONCE, openBatch, type Sealed, TAG } from "./open-batch.ts";

/** A hash function and an AEAD, by their numbers in `assembly/`. */
interface MessageParameters {
  readonly hash: { readonly id: number; readonly Nh: number };
  readonly aead: { readonly id: number; readonly Nk: number };
}

const GUARD = 4;
const SENDER_DATA = 12;
const OPEN = 1;
const LAST_UINT32 = 2 ** 32 - 1;

/** Builds the object for one pair of hash function and AEAD; all of a kernel share instance and arena. */
export function createMessages(exports: KernelExports, arena: Arena, parameters: MessageParameters): MessageKernel {
  return new WasmMessages(exports, arena, parameters);
}

class WasmMessages implements MessageKernel {
  readonly #exports: KernelExports;
  readonly #arena: Arena;
  readonly #hash: MessageParameters["hash"];
  readonly #aead: MessageParameters["aead"];

  constructor(exports: KernelExports, arena: Arena, { hash, aead }: MessageParameters) {
    this.#exports = exports;
    this.#arena = arena;
    this.#hash = hash;
    this.#aead = aead;
  }

  /** The layout is that of `assembly/private-message.ts`. */
  seal(message: MessageToSeal): SealedMessage | undefined {
    checkMessage(message, this.#hash.Nh);
    const { header, aadStart, senderDataAadEnd, plaintext } = message;
    const arena = this.#arena;
    const { id, Nh } = this.#hash;
    const before = 2 * Nh + GUARD;
    const room = 1 + SENDER_DATA + TAG + vectorHeader(plaintext.length + TAG);
    const length = header.length + room + plaintext.length + TAG;
    // The kernel counts the longest header of a vector.
    if (before + length + 4 > arena.capacity) return undefined;
    try {
      arena.write(message.ratchetSecret);
      arena.write(message.senderDataSecret);
      arena.write(message.reuseGuard);
      arena.write(header);
      arena.reserve(room);
      arena.write(plaintext);
      arena.reserve(TAG);
      this.#exports.sealPrivateMessage(
        id,
        this.#aead.id,
        message.generation,
        message.leafIndex,
        header.length,
        aadStart,
        senderDataAadEnd,
        plaintext.length,
      );
      const sealed = { message: arena.read(before, length), secret: arena.read(-Nh, Nh) };
      arena.clear(this.#aead.Nk + NONCE + Nh);
      return sealed;
    } catch (error) {
      throw abandon({ exports: this.#exports, arena }, error);
    }
  }

  /** The layout is that of `assembly/private-message.ts`. */
  openSenderData(
    senderDataSecret: Uint8Array,
    messages: readonly SealedSenderData[],
  ): (Bytes | undefined)[] | undefined {
    const exports = this.#exports;
    const arena = this.#arena;
    const { id, Nh } = this.#hash;
    const { Nk } = this.#aead;
    checkBytes(senderDataSecret, "sender data secret", Nh);
    const sealed: Sealed[] = [];
    let extent = Nh;
    for (const { senderDataAad, encryptedSenderData, ciphertext } of messages) {
      checkBytes(senderDataAad, "associated data");
      checkBytes(encryptedSenderData, "encrypted sender data");
      checkBytes(ciphertext, "ciphertext");
      const item = { aad: senderDataAad, data: encryptedSenderData };
      sealed.push(item);
      extent += extentOf(item, Nk) + 4 + Nh;
    }
    if (extent > arena.capacity) return undefined;
    return openBatch(sealed, {
      exports,
      arena,
      Nk,
      writeKey: () => {
        arena.reserve(Nk + NONCE);
      },
      open: (count) => {
        arena.write(senderDataSecret);
        for (const { ciphertext, encryptedSenderData } of messages) {
          if (encryptedSenderData.length < TAG) continue;
          arena.writeUint32(Math.min(Nh, ciphertext.length));
          arena.write(ciphertext.subarray(0, Nh));
        }
        exports.openSenderData(id, this.#aead.id, count);
      },
      read: (at, length) => arena.read(at, length),
    });
  }

  openContents<T>(
    messages: readonly SealedContent[],
    read: (plaintext: Bytes, place: number) => T,
  ): (T | undefined)[] | undefined {
    const exports = this.#exports;
    const arena = this.#arena;
    const { id, Nk } = this.#aead;
    const sealed: Sealed[] = [];
    let extent = 0;
    for (const { key, nonce, reuseGuard, contentAad, ciphertext } of messages) {
      checkBytes(key, "key", Nk);
      checkBytes(nonce, "nonce", NONCE);
      checkBytes(reuseGuard, "reuse guard", GUARD);
      checkBytes(contentAad, "associated data");
      checkBytes(ciphertext, "ciphertext");
      const item = { aad: contentAad, data: ciphertext };
      sealed.push(item);
      extent += extentOf(item, Nk);
    }
    if (extent > arena.capacity) return undefined;
    return openBatch(sealed, {
      exports,
      arena,
      Nk,
      writeKey: (place) => {
        const { key, nonce, reuseGuard } = messages[place] as SealedContent;
        arena.write(key);
        arena.writeMasked(nonce, reuseGuard);
      },
      open: (count) => {
        exports.aeadBatch(id, OPEN, count);
      },
      read: (at, length, place) => read(arena.view(at, length), place),
    });
  }
}

function checkMessage(message: MessageToSeal, Nh: number): void {
  checkBytes(message.ratchetSecret, "ratchet secret", Nh);
  checkBytes(message.senderDataSecret, "sender data secret", Nh);
  checkBytes(message.reuseGuard, "reuse guard", GUARD);
  checkBytes(message.header, "header");
  checkBytes(message.plaintext, "plaintext");
  checkRange(message.generation, 0, LAST_UINT32, "generation");
  checkRange(message.leafIndex, 0, LAST_UINT32, "leaf index");
  checkRange(message.senderDataAadEnd, 0, message.header.length, "end of the sender data's AAD");
  checkRange(message.aadStart, 0, message.senderDataAadEnd, "start of the AAD");
}

/** Bytes of the length header of a vector that fits the kernel's memory (RFC 9420 §2.1.2). */
function vectorHeader(length: number): 1 | 2 | 4 {
  if (length < 0x40) return 1;
  return length < 0x4000 ? 2 : 4;
}
