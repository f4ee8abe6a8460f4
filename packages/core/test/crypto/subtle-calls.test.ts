/** What SubtleCrypto is asked for: signatures, key agreements and long ciphertexts. Hashing, derivation and messages stay in the kernel. */
import { createBasicWasmKernel } from "@coppice/wasm";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { concat, toHex, utf8 } from "../../src/codec/bytes.ts";
import { aesGcmByLength } from "../../src/crypto/aead.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import { useCurve25519 } from "../../src/crypto/curve-options.ts";
import { VerificationKeys } from "../../src/crypto/verification-keys.ts";
import { Group } from "../support/group.ts";

const METHODS = [
  "decrypt",
  "deriveBits",
  "deriveKey",
  "digest",
  "encrypt",
  "exportKey",
  "generateKey",
  "importKey",
  "sign",
  "verify",
] as const;

const calls: string[] = [];

beforeEach(() => {
  useCurve25519({ implementation: "platform" });
  // As in a browser: Node's own functions are not there.
  vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined);
  for (const method of METHODS) {
    const original = crypto.subtle[method].bind(crypto.subtle) as (...parameters: unknown[]) => unknown;
    vi.spyOn(crypto.subtle, method).mockImplementation(((...parameters: unknown[]) => {
      calls.push(method);
      return original(...parameters);
    }) as never);
  }
});

afterEach(() => {
  vi.restoreAllMocks();
});

test("sending takes one signature, opening one verification", async () => {
  const group = await Group.of(["alice", "bob"]);
  const [alice, bob] = [group.member("alice"), group.member("bob")];
  // A member's key is imported for its first messages only.
  for (const text of ["one", "two"]) await bob.receive(await alice.send(text));

  calls.length = 0;
  const message = await alice.send("three");
  expect(calls).toEqual(["sign"]);
  calls.length = 0;
  await bob.receive(message);
  expect(calls).toEqual(["verify"]);
});

test("a path takes its key agreements and signatures, nothing for hashing, derivation or encryption", async () => {
  const group = await Group.of(["alice", "bob", "carol", "dave"]);
  const [alice, bob] = [group.member("alice"), group.member("bob")];
  await group.commit(bob);

  calls.length = 0;
  const made = await alice.commit();
  const count = (method: string): number => calls.filter((call) => call === method).length;
  // The tree of four is sparse on the right: three seals, to bob, carol and dave; two path nodes and a new leaf.
  expect(count("deriveBits")).toBe(3);
  // Private keys of seals, leaf and path nodes, and the three peers.
  expect(count("importKey")).toBe(3 + 1 + 2 + 3);
  expect(count("sign")).toBe(2);
  expect(new Set(calls)).toEqual(new Set(["deriveBits", "exportKey", "importKey", "sign"]));
  expect(calls.length).toBe(3 * 4 + 3 * 2 + 2);

  calls.length = 0;
  await group.member("carol").receive(made.staged.commit);
  expect(count("deriveBits")).toBe(1);
  expect(count("verify")).toBe(2);
  expect(new Set(calls)).toEqual(new Set(["deriveBits", "exportKey", "importKey", "verify"]));
});

test("what is long is sealed and opened with AES-GCM here, to the kernel's bytes, where SubtleCrypto can", async () => {
  const [short, long] = [new Uint8Array(2 ** 14 - 17), new Uint8Array(2 ** 14).fill(7)];
  const { aes128gcm } = createBasicWasmKernel();
  const [key, nonce, aad] = [new Uint8Array(16).fill(1), new Uint8Array(12).fill(2), utf8("aad")];
  const aead = await aesGcmByLength(aes128gcm);
  calls.length = 0;
  for (const plaintext of [short, long]) {
    const sealed = await aead.seal(key, nonce, aad, plaintext);
    expect(toHex(sealed)).toBe(toHex(aes128gcm.seal(key, nonce, aad, plaintext)));
    expect(toHex(await aead.open(key, nonce, aad, sealed))).toBe(toHex(plaintext));
    sealed[100] = 1;
    await expect(aead.open(key, nonce, aad, sealed)).rejects.toMatchObject({ code: "ERR_MLS_AEAD" });
  }
  expect(calls).toEqual(["importKey", "encrypt", "importKey", "decrypt", "importKey", "decrypt"]);

  vi.spyOn(crypto.subtle, "importKey").mockRejectedValue(new DOMException("none", "NotSupportedError"));
  const alone = await aesGcmByLength(aes128gcm);
  expect(await alone.open(key, nonce, aad, await alone.seal(key, nonce, aad, long))).toEqual(long);
});

test.each([
  ["an array", (bytes: Uint8Array): Bytes => concat(bytes)],
  // Of a Buffer, `slice` is no copy.
  ["a Buffer", (bytes: Uint8Array): Bytes => Buffer.from(bytes)],
])("a kept verification key is not used for other bytes in the same buffer: %s", async (_kind, copyOf) => {
  const suite = await getCipherSuite(1);
  const [alice, mallory] = [await suite.signature.generateKeyPair(), await suite.signature.generateKeyPair()];
  const signer = await suite.signature.importSigner(alice.privateKey);
  const message = utf8("signed by alice");
  const signature = await signer.sign(message);
  const buffer = copyOf(alice.publicKey);
  for (let i = 0; i < 3; i++) expect(await suite.signature.verify(buffer, message, signature)).toBe(true);
  buffer.set(mallory.publicKey);
  expect(await suite.signature.verify(buffer, message, signature)).toBe(false);
});

test("the first use of a key keeps nothing", async () => {
  const imported = vi.fn(() => Promise.resolve({} as CryptoKey));
  const keys = new VerificationKeys(imported);
  const publicKey = utf8("a public key");
  await keys.get(publicKey);
  await keys.get(publicKey);
  expect(imported).toHaveBeenCalledTimes(2);
  await keys.get(publicKey);
  expect(imported).toHaveBeenCalledTimes(2);
});
