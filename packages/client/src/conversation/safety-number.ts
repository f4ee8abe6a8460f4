/** A number that people compare to know that they share a group, its epoch and its members' keys. */
import { codec, concat, utf8, type Bytes, type GroupState } from "@coppice/core";
import { nameOf } from "../account/authentication.ts";

/** Makes the search for a second group with the same number as much dearer. */
const ITERATIONS = 512;
const GROUPS = 12;
const DIGITS = 5;

const input = codec.struct<{ groupId: Bytes; epoch: bigint; members: readonly Member[]; authenticator: Bytes }>({
  groupId: codec.opaque,
  epoch: codec.uint64,
  members: codec.vector(codec.struct<Member>({ name: codec.opaque, signatureKey: codec.opaque })),
  authenticator: codec.opaque,
});

interface Member {
  readonly name: Bytes;
  readonly signatureKey: Bytes;
}

/**
 * 60 digits in 12 groups of 5. With `H` the suite's hash:
 *
 * ```
 * struct { opaque name<V>; opaque signature_key<V>; } Member;
 * seed = H(utf8("Coppice safety number 1") ‖ group_id<V> ‖ uint64 epoch ‖ Member members<V> ‖ epoch_authenticator<V>)
 * digest = H applied 512 times to (previous ‖ seed), starting from the seed
 * ```
 *
 * members sorted by the bytes of name and key together. Group i of the result is `ExpandWithLabel(digest, "safety number", i, 5)`
 * as a big-endian number, modulo 100,000.
 */
export function safetyNumber(state: GroupState): string {
  const { hash } = state.suite;
  const members = [...state.tree.members()].map(([, leaf]) => ({
    name: utf8(nameOf(leaf.credential)),
    signatureKey: leaf.signatureKey,
  }));
  members.sort((a, b) => compareBytes(concat(a.name, a.signatureKey), concat(b.name, b.signatureKey)));
  const { groupId, epoch } = state.context;
  const authenticator = state.secrets.epochAuthenticator;
  const seed = hash.digest(
    concat(utf8("Coppice safety number 1"), codec.encode(input, { groupId, epoch, members, authenticator })),
  );
  let digest = seed;
  for (let i = 0; i < ITERATIONS; i++) digest = hash.digest(concat(digest, seed));
  return Array.from({ length: GROUPS }, (_, i) => {
    const bytes = hash.expandWithLabel(digest, "safety number", Uint8Array.of(i), 5);
    const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
    return String(value % 10 ** DIGITS).padStart(DIGITS, "0");
  }).join(" ");
}

function compareBytes(a: Bytes, b: Bytes): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
