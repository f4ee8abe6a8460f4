/** Names of records are in the clear on a device: they hold nothing that the server or another member knows. */
import { codec, concat, decodeMessageOf, fromHex, getCipherSuite, toHex, utf8, type Bytes } from "@coppice/core";
import type { DeliveryService } from "@coppice/delivery";
import { expect, test } from "vitest";
import { pair, type Device } from "../world.ts";

/** The shapes of all names: numbers, salted hashes and places in the tree. */
const SHAPES = [
  /^(?:account|recovery|clock)$/,
  /^key-package\/[0-9a-f]{14}$/,
  /^(?:used|waiting|pin|forgotten)\/[0-9a-f]{64}$/,
  /^(?:summary|pending|wait)$/,
  /^(?:outbox|future|item)\/[0-9a-f]{14}$/,
  /^group\//,
];

async function namesOn(device: Device): Promise<readonly string[]> {
  const store = device.store();
  const { names } = await store.partitions();
  const found = await Promise.all(
    names.map(async (partition) => [...(await store.read(partition, [{ prefix: "" }])).records.keys()]),
  );
  return found.flat();
}

test("issue 11 (37): names of records hold no user, group, key package, Welcome or ciphertext, nor a hash of one", async () => {
  const { world, aliceDevice, bobDevice, alice, bob, atAlice, atBob } = await pair();
  const { hash } = await getCipherSuite(1);
  const seen = new Set<Bytes>([fromHex(atAlice.id), ...["alice", "bob", "carol"].map((name) => utf8(name))]);
  // Bob is offline while he writes, so that all kinds of records are there.
  await world.client("carol");
  await world.run(atAlice.add("carol"));
  await world.agree(atAlice, atBob);
  await atAlice.send("hello");
  await world.until(() => atBob.snapshot.lastItem === 3);
  const group = fromHex(atAlice.id);
  const { incarnation } = (await alice.delivery.readGroupInfo(group)).position;
  const { entries } = await alice.delivery.readLog({ groupId: group, after: { incarnation, seq: 0 } });
  expect(entries.length).toBeGreaterThanOrEqual(3);
  for (const { message } of entries) seen.add(message);
  for (const claimed of await claimAll(bob.delivery)) {
    const { keyPackage } = decodeMessageOf("mls_key_package", claimed);
    // RFC 9420 §5.2, of the key package without the header of its message.
    const label = utf8("MLS 1.0 KeyPackage Reference");
    const input = [label, new Uint8Array(claimed.subarray(4))].map((part) => codec.encode(codec.opaque, part));
    const reference = hash.digest(concat(...input));
    seen.add(claimed).add(reference).add(keyPackage.initKey).add(keyPackage.leafNode.signatureKey);
  }
  const second = await bob.client.createGroup();
  await second.forget();
  bob.delivery.network.reachable = false;
  await world.until(() => !bob.client.online);
  await atBob.send("queued");

  const names = [...(await namesOn(aliceDevice)), ...(await namesOn(bobDevice))];
  expect(names.length).toBeGreaterThan(30);
  expect(names.filter((name) => !SHAPES.some((shape) => shape.test(name)))).toEqual([]);
  for (const kind of ["outbox/", "item/", "pin/", "forgotten/", "key-package/"]) {
    expect(names.some((name) => name.startsWith(kind))).toBe(true);
  }
  const all = names.join("\n");
  for (const bytes of seen) {
    for (const known of [bytes, hash.digest(bytes)]) expect(all).not.toContain(toHex(known));
    expect(all).not.toContain(new TextDecoder().decode(bytes.subarray(0, 64)));
  }
});

/** All that are left. */
async function claimAll(delivery: DeliveryService): Promise<Bytes[]> {
  const found: Bytes[] = [];
  for (let i = 0; i < 5; i++) found.push(...(await delivery.claimKeyPackages(["bob"])).map((one) => one.keyPackage));
  return found;
}
