/** Private messages in one call, compared with the calls for each step, which other cases compare with peers. */
import type { AeadKernel, HashKernel, MessageToSeal, WasmKernel } from "../../src/index.ts";
import { type ConformanceCase, concat, expect, expectSame, flipped } from "./case.ts";
import { AEADS, HASHES } from "./implementations.ts";
import { Random } from "./random.ts";

const none = new Uint8Array(0);
/** Messages that are opened together, at most. */
const BATCH = 40;

function randomMessage(random: Random, Nh: number): MessageToSeal {
  const header = random.bytes(random.below(80));
  const senderDataAadEnd = random.below(header.length + 1);
  return {
    ratchetSecret: random.bytes(Nh),
    generation: random.below(2 ** 32),
    senderDataSecret: random.bytes(Nh),
    leafIndex: random.below(2 ** 32),
    reuseGuard: random.bytes(4),
    header,
    aadStart: random.below(senderDataAadEnd + 1),
    senderDataAadEnd,
    plaintext: random.some(),
  };
}

const uint32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
};

function vector(body: Uint8Array): Uint8Array {
  const { length } = body;
  if (length < 64) return concat(Uint8Array.of(length), body);
  return concat(Uint8Array.of(0x40 | (length >> 8), length & 0xff), body);
}

/** A message with what its parts were sealed with. */
interface Sealed {
  readonly encryptedSenderData: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly secret: Uint8Array;
}

function sealInSteps(hash: HashKernel, aead: AeadKernel, message: MessageToSeal): Sealed {
  const { ratchetSecret, generation, senderDataSecret, leafIndex, reuseGuard, header, aadStart } = message;
  const { Nk, Nn } = aead;
  const { keys, secret } = hash.ratchet({ secret: ratchetSecret, generation, count: 1, Nk, Nn });
  const { key, nonce } = keys[0] ?? { key: none, nonce: none };
  const guarded = nonce.map((byte, i) => byte ^ (reuseGuard[i] ?? 0));
  const ciphertext = aead.seal(key, guarded, header.subarray(aadStart), message.plaintext);
  const sample = ciphertext.subarray(0, hash.Nh);
  const encryptedSenderData = aead.seal(
    hash.expandWithLabel(senderDataSecret, "key", sample, Nk),
    hash.expandWithLabel(senderDataSecret, "nonce", sample, Nn),
    header.subarray(aadStart, message.senderDataAadEnd),
    concat(uint32(leafIndex), uint32(generation), reuseGuard),
  );
  return { encryptedSenderData, ciphertext, key, nonce, secret };
}

/** A copy in which one bit in eight copies is changed. */
const perhapsChanged = (random: Random, data: Uint8Array): Uint8Array =>
  random.below(8) === 0 && data.length > 0 ? flipped(data, random.below(8 * data.length)) : data;

export function messageCases(kernel: WasmKernel, comparisons: number): readonly ConformanceCase[] {
  return HASHES.flatMap((hashName) =>
    AEADS.flatMap((aeadName): ConformanceCase[] => {
      const { [hashName]: hash, [aeadName]: aead } = kernel;
      const messages = kernel.messages(hash.name, aead.name);
      const title = (what: string): string => `${comparisons} random messages: ${what}, ${hashName}, ${aeadName}`;
      return [
        {
          title: title("sealed in one call as in steps"),
          run: () => {
            const random = new Random(0x5ea1);
            for (let done = 0; done < comparisons; done++) {
              const message = randomMessage(random, hash.Nh);
              const { encryptedSenderData, ciphertext, secret } = sealInSteps(hash, aead, message);
              const sealed = messages.seal(message);
              const expected = concat(message.header, vector(encryptedSenderData), vector(ciphertext));
              expectSame(sealed?.message, expected, `message ${done}`);
              expectSame(sealed?.secret, secret, `secret after message ${done}`);
            }
          },
        },
        {
          title: title("opened in one call as in steps"),
          run: () => {
            const random = new Random(0x09e5);
            for (let done = 0; done < comparisons;) {
              const count = Math.min(random.below(BATCH), comparisons - done);
              const senderDataSecret = random.bytes(hash.Nh);
              const batch = Array.from({ length: count }, () => {
                const message = { ...randomMessage(random, hash.Nh), senderDataSecret };
                const { ciphertext, encryptedSenderData, key, nonce } = sealInSteps(hash, aead, message);
                const { header, aadStart, senderDataAadEnd, reuseGuard } = message;
                return {
                  ...{ key, nonce, reuseGuard },
                  senderDataAad: perhapsChanged(random, header.subarray(aadStart, senderDataAadEnd)),
                  contentAad: perhapsChanged(random, header.subarray(aadStart)),
                  encryptedSenderData: perhapsChanged(random, encryptedSenderData),
                  ciphertext: perhapsChanged(random, ciphertext),
                };
              });
              const senderData = messages.openSenderData(senderDataSecret, batch);
              const contents = messages.openContents(batch, (plaintext) => plaintext.slice());
              expect(
                senderData?.length === count && contents?.length === count,
                `${count} messages have as many results`,
              );
              for (const [i, message] of batch.entries()) {
                const sample = message.ciphertext.subarray(0, hash.Nh);
                const expected = aead.open(
                  hash.expandWithLabel(senderDataSecret, "key", sample, aead.Nk),
                  hash.expandWithLabel(senderDataSecret, "nonce", sample, aead.Nn),
                  message.senderDataAad,
                  message.encryptedSenderData,
                );
                expectSame(senderData[i], expected, `sender data of message ${done + i}`);
                const guarded = message.nonce.map((byte, at) => byte ^ (message.reuseGuard[at] ?? 0));
                const content = aead.open(message.key, guarded, message.contentAad, message.ciphertext);
                expectSame(contents[i], content, `content of message ${done + i}`);
              }
              done += count;
            }
          },
        },
      ];
    }),
  );
}
