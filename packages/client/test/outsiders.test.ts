/** What those may do who are in no group: a server that knows a group's id and epoch, for one. */
import { createKeyPackage, createNewMemberProposal, fromHex } from "@coppice/core";
import { expect, test } from "vitest";
import { CAPABILITIES, lifetime, outsider } from "./outsider.ts";
import { listen, names, pair, problems } from "./world.ts";

test("R-12.1.8-4: nobody is added, and no message kept waiting, because an outsider asks", async () => {
  const { world, alice, bob, atAlice, atBob } = await pair();
  const { suite, signer, credential } = await outsider(world, "mallory");
  const { keyPackage } = await createKeyPackage({
    ...{ suite, signer, credential },
    lifetime: lifetime(world),
    capabilities: CAPABILITIES,
  });
  // Of the group, the server knows what is here, and nothing else is signed.
  const { epoch } = atAlice.snapshot;
  const groupId = fromHex(atAlice.id);
  const nothing = new Uint8Array(0);
  const context = { version: 1, cipherSuite: 1, groupId, epoch, treeHash: nothing, confirmedTranscriptHash: nothing };
  const message = await createNewMemberProposal({ ...context, extensions: [] }, keyPackage, { signer });

  const codes = [alice, bob].map(({ client }) => problems(client));
  const heard = [listen(atAlice), listen(atBob)];
  const [group] = await bob.delivery.readGroups({ after: undefined });
  if (group === undefined) throw new Error("Bob is in a group");
  await bob.delivery.sendMessages({ groupId, position: group.position, messages: [{ epoch, message }] });
  await world.run(Promise.all([alice.client.sync(), bob.client.sync()]));
  await atAlice.send("still here");
  await atBob.send("me too");
  await world.until(() => heard.every(({ length }) => length === 1));
  // Longer than members wait before they commit what was proposed.
  await world.time.advance(30_000);
  await world.agree(atAlice, atBob);
  expect([await names(atAlice), await names(atBob)]).toEqual([await names(atBob), ["alice", "bob"]]);
  expect(atAlice.snapshot.epoch).toBe(epoch);
  expect(codes).toEqual([[], []]);
});
