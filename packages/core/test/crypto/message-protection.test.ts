/** Encryption of private messages (RFC 9420 §6.3): the kernel gives what its steps give, also where it hands over to them. */
import { expect, test } from "vitest";
import { randomBytes } from "@coppice/kit";
import { EMPTY } from "../../src/codec/bytes.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import { stepwiseMessages } from "../../src/crypto/message-protection.ts";
import { newReuseGuard } from "../../src/crypto/reuse-guard.ts";

/** More than the kernel's memory holds. */
const LONG = 200_000;

test.each([1, 2, 3, 4, 5, 6, 7])("of suite %i, short and long (R-6.3.1-6, R-6.3.2-3, R-9.1-2)", async (id) => {
  const suite = await getCipherSuite(id, { kernel: "wasm" });
  const others = [suite.messages, stepwiseMessages(suite), (await getCipherSuite(id, { kernel: "noble" })).messages];
  const { Nh } = suite.hash;
  const header = randomBytes(40);
  const [senderDataSecret, ratchetSecret, reuseGuard] = [randomBytes(Nh), randomBytes(Nh), newReuseGuard()];
  const positions = { aadStart: 4, senderDataAadEnd: 29, leafIndex: 5, generation: 6 };
  for (const plaintext of [EMPTY, randomBytes(100), new Uint8Array(LONG).fill(7)]) {
    const message = { ...positions, header, senderDataSecret, ratchetSecret, reuseGuard, plaintext };
    const sealed = others.map((messages) => messages.seal(message));
    const [first, ...rest] = await Promise.all(sealed.map(async (each) => each.message));
    for (const each of rest) expect(Buffer.compare(each, first ?? EMPTY)).toBe(0);
    for (const each of sealed) expect(each.secret).toEqual(sealed[0]?.secret);

    const { keys } = suite.hash.ratchet({
      ...{ secret: ratchetSecret, generation: positions.generation, count: 1 },
      ...{ Nk: suite.aead.Nk, Nn: suite.aead.Nn },
    });
    const [{ key, nonce } = { key: EMPTY, nonce: EMPTY }] = keys;
    const ciphertext = first?.slice(first.length - plaintext.length - 16) ?? EMPTY;
    const received = {
      ...{ key, nonce, reuseGuard, ciphertext },
      contentAad: header.slice(4),
      senderDataAad: header.slice(4, 29),
      encryptedSenderData: first?.slice(41, 41 + 28) ?? EMPTY,
    };
    const changed = { ...received, contentAad: header.slice(3), senderDataAad: header.slice(3, 29) };
    const refused: unknown = expect.objectContaining({ code: "ERR_MLS_AEAD" });
    for (const messages of others) {
      const read = (content: Uint8Array, place: number): unknown => [place, content.length];
      expect(await messages.openContents([received, changed, received], read)).toEqual([
        ...[[0, plaintext.length], refused, [2, plaintext.length]],
      ]);
      const senderData = await messages.openSenderData(senderDataSecret, [changed, received]);
      expect(senderData).toEqual([refused, Uint8Array.of(0, 0, 0, 5, 0, 0, 0, 6, ...reuseGuard)]);
    }
  }
});

test("reuse guards are 4 bytes, each of its own (R-6.3.1-7)", () => {
  const guards = Array.from({ length: 1000 }, () => newReuseGuard());
  for (const guard of guards) expect(guard.buffer.byteLength).toBe(4);
  // Of 1000 random numbers of 32 bits, two pairs are equal once in two hundred million tries.
  expect(new Set(guards.map((guard) => guard.join())).size).toBeGreaterThanOrEqual(999);
});
