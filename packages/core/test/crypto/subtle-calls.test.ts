/** What SubtleCrypto is asked for: signatures and key agreements. Hashing, derivation and message AEADs stay in the kernel. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { concat, utf8 } from "../../src/codec/bytes.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
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

test("a kept verification key is not used for other bytes in the same buffer", async () => {
  const suite = await getCipherSuite(1);
  const [alice, mallory] = [await suite.signature.generateKeyPair(), await suite.signature.generateKeyPair()];
  const signer = await suite.signature.importSigner(alice.privateKey);
  const message = utf8("signed by alice");
  const signature = await signer.sign(message);
  const buffer = concat(alice.publicKey);
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
