/** Encryption of private messages (RFC 9420 §6.3): in one call of the kernel, or step by step where there is none. */
import type { HashKernel, MessageKernel, MessageToSeal, SealedContent, SealedSenderData } from "@coppice/wasm";
import { type Bytes, EMPTY, erase } from "../codec/bytes.ts";
import { written } from "../codec/codec.ts";
import { Writer } from "../codec/writer.ts";
import { type CoppiceError, isCoppiceError } from "../errors.ts";
import type { Result } from "../result.ts";
import { type Aead, notAuthentic } from "./aead.ts";

/** A message before it is encrypted, in arrays that nobody shares. */
interface UnsealedMessage extends MessageToSeal {
  readonly header: Bytes;
  readonly plaintext: Bytes;
}

/** A message with the key of a ratchet's generation, and the ratchet without it. */
export interface SealedWithNext {
  /** The encoded message. */
  readonly message: Bytes | Promise<Bytes>;
  /** Ratchet secret of the generation after, `Nh` bytes. */
  readonly secret: Bytes;
}

/** What encrypts private messages under a suite's hash function and AEAD. */
export interface MessageProtection {
  /** Has read the plaintext when it returns: the caller may overwrite it then. */
  readonly seal: (message: UnsealedMessage) => SealedWithNext;
  /** Encoded `SenderData` of messages of an epoch, in their order; `ERR_MLS_AEAD` in place of those that do not authenticate. */
  readonly openSenderData: (
    senderDataSecret: Bytes,
    messages: readonly SealedMessage[],
  ) => Opened<Bytes> | Promise<Opened<Bytes>>;
  /**
   * What `read` makes of each encoded `PrivateMessageContent`, in the order of the messages; `ERR_MLS_AEAD` in place of those that do
   * not authenticate. What `read` sees is overwritten when it returns.
   */
  readonly openContents: <T>(
    messages: readonly SealedBytes[],
    read: (plaintext: Bytes, place: number) => T,
  ) => Opened<T> | Promise<Opened<T>>;
}

type Opened<T> = readonly Result<T>[];

/** A message whose sender data are to be opened. */
interface SealedMessage extends SealedSenderData {
  readonly senderDataAad: Bytes;
  readonly encryptedSenderData: Bytes;
  readonly ciphertext: Bytes;
}

/** A message whose content is to be opened. */
interface SealedBytes extends SealedContent {
  readonly key: Bytes;
  readonly nonce: Bytes;
  readonly contentAad: Bytes;
  readonly ciphertext: Bytes;
}

/** What the steps are made with. */
interface Steps {
  readonly hash: HashKernel;
  readonly aead: Aead;
}

/** On the kernel; what its memory does not hold is protected step by step. */
export function kernelMessages(kernel: MessageKernel, steps: Steps): MessageProtection {
  const stepwise = stepwiseMessages(steps);
  return {
    seal: (message) => kernel.seal(message) ?? stepwise.seal(message),
    openSenderData: (senderDataSecret, messages) =>
      kernel.openSenderData(senderDataSecret, messages)?.map((senderData) => senderData ?? notAuthentic()) ??
      stepwise.openSenderData(senderDataSecret, messages),
    openContents: (messages, read) =>
      kernel.openContents(messages, read)?.map((content) => content ?? notAuthentic()) ??
      stepwise.openContents(messages, read),
  };
}

/** With a call for each step. */
export function stepwiseMessages(steps: Steps): MessageProtection {
  const { hash, aead } = steps;
  return {
    seal: (message) => {
      const { generation, ratchetSecret } = message;
      const run = hash.ratchet({ secret: ratchetSecret, generation, count: 1, Nk: aead.Nk, Nn: aead.Nn });
      return { message: sealStepwise(steps, message, run.keys[0] ?? NO_KEY), secret: run.secret };
    },
    openSenderData: (senderDataSecret, messages) =>
      together(messages, async ({ senderDataAad, encryptedSenderData, ciphertext }) => {
        const { key, nonce } = senderDataKey(steps, senderDataSecret, ciphertext);
        const senderData = aead.open(key, nonce, senderDataAad, encryptedSenderData);
        return senderData.finally(() => {
          erase(key, nonce);
        });
      }),
    openContents: (messages, read) =>
      together(messages, async ({ key, nonce, reuseGuard, contentAad, ciphertext }, place) => {
        const plaintext = await aead.open(key, guard(nonce, reuseGuard), contentAad, ciphertext);
        const content = read(plaintext, place);
        erase(plaintext);
        return content;
      }),
  };
}

/** Results in the order of the items; a refusal in place of what is refused. */
function together<T, R>(items: readonly T[], open: (item: T, place: number) => Promise<R>): Promise<Result<R>[]> {
  const refusal = (error: unknown): CoppiceError => {
    if (isCoppiceError(error)) return error;
    throw error;
  };
  return Promise.all(items.map((item, place) => open(item, place).catch(refusal)));
}

interface Key {
  readonly key: Bytes;
  readonly nonce: Bytes;
}

const NO_KEY: Key = { key: EMPTY, nonce: EMPTY };

async function sealStepwise(steps: Steps, message: UnsealedMessage, { key, nonce }: Key): Promise<Bytes> {
  const { aead } = steps;
  const { header, aadStart, reuseGuard } = message;
  const ciphertext = await aead.seal(key, guard(nonce, reuseGuard), header.slice(aadStart), message.plaintext);
  erase(key, nonce);

  const outer = senderDataKey(steps, message.senderDataSecret, ciphertext);
  const senderData = new Writer();
  senderData.uint(message.leafIndex, 4);
  senderData.uint(message.generation, 4);
  senderData.bytes(reuseGuard);
  const aad = header.slice(aadStart, message.senderDataAadEnd);
  const encrypted = await senderData.lend((plaintext) => aead.seal(outer.key, outer.nonce, aad, plaintext));
  erase(outer.key, outer.nonce);
  return written((writer) => {
    writer.bytes(header);
    writer.opaque(encrypted);
    writer.opaque(ciphertext);
  });
}

/** Key and nonce of the sender data of a message, from a sample of its ciphertext (R-6.3.2-3, R-6.3.2-4). */
export function senderDataKey({ hash, aead }: Steps, senderDataSecret: Uint8Array, ciphertext: Bytes): Key {
  const context = ciphertext.subarray(0, hash.Nh);
  const [key = EMPTY, nonce = EMPTY] = hash.expandMany(senderDataSecret, [
    { label: "key", context, length: aead.Nk },
    { label: "nonce", context, length: aead.Nn },
  ]);
  return { key, nonce };
}

/** XORs the reuse guard into the first four bytes (R-6.3.1-6). */
function guard(nonce: Bytes, reuseGuard: Uint8Array): Bytes {
  const guarded = nonce.slice();
  for (const [i, byte] of reuseGuard.entries()) guarded[i] = (guarded[i] ?? 0) ^ byte;
  return guarded;
}
