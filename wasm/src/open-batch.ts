/** Opening ciphertexts that lie in the arena side by side, in the layout of `assembly/aead-batch.ts`. */
import type { Arena } from "./arena.ts";
import { abandon } from "./hash-context.ts";
import type { KernelExports } from "./instantiate.ts";

export const NONCE = 12;
export const TAG = 16;
/** Bytes of a table entry: lengths of associated data and data, 32 bits each. */
export const ENTRY = 8;
/** In place of the length of data that do not authenticate. */
const REFUSED = 0xffffffff;

export interface Sealed {
  readonly aad: Uint8Array;
  /** Ciphertext and tag. */
  readonly data: Uint8Array;
}

/** What differs between the batches. */
interface Batch<T> {
  readonly exports: KernelExports;
  readonly arena: Arena;
  /** Key length in bytes. */
  readonly Nk: number;
  /** Appends key and nonce of a message, or room for them. */
  readonly writeKey: (place: number) => void;
  /** Has the kernel open the messages that were written, `count` of them. */
  readonly open: (count: number) => void;
  /** The result for a plaintext of `length` bytes, `at` bytes from the beginning of the arguments. */
  readonly read: (at: number, length: number, place: number) => T;
}

const hasTag = ({ data }: Sealed): boolean => data.length >= TAG;

/** Bytes of arena that a message takes. */
export const extentOf = ({ aad, data }: Sealed, Nk: number): number => ENTRY + Nk + NONCE + aad.length + data.length;

/** Results in the order of the messages; undefined in place of what does not authenticate or is shorter than a tag. */
export function openBatch<T>(messages: readonly Sealed[], batch: Batch<T>): (T | undefined)[] {
  const { exports, arena, Nk } = batch;
  try {
    let count = 0;
    for (const message of messages) {
      if (!hasTag(message)) continue;
      arena.writeUint32(message.aad.length);
      arena.writeUint32(message.data.length - TAG);
      count++;
    }
    for (const [place, message] of messages.entries()) {
      if (!hasTag(message)) continue;
      batch.writeKey(place);
      arena.write(message.aad);
      arena.write(message.data);
    }
    batch.open(count);
    let entry = 0;
    let at = count * ENTRY;
    const opened = messages.map((message, place) => {
      if (!hasTag(message)) return undefined;
      const start = at + Nk + NONCE + message.aad.length;
      const refused = arena.readUint32(entry + 4) === REFUSED;
      entry += ENTRY;
      at = start + message.data.length;
      return refused ? undefined : batch.read(start, message.data.length - TAG, place);
    });
    arena.clear();
    return opened;
  } catch (error) {
    throw abandon({ exports, arena }, error);
  }
}
