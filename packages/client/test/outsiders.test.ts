/** What those may do who are in no group: a server that knows a group's id and epoch, for one. */
import {
  basicCredential,
  createKeyPackage,
  createNewMemberProposal,
  defaultCapabilities,
  fromHex,
  getCipherSuite,
} from "@coppice/core";
import { expect, test } from "vitest";
import { agree, listen, names, pair, problems, until } from "./world.ts";

test("R-12.1.8-4: nobody is added, and no message kept waiting, because an outsider asks", async () => {
  const { world, alice, bob, atAlice, atBob } = await pair();
  await world.client("mallory");
  const suite = await getCipherSuite(1);
  const signer = await suite.signature.importSigner((await suite.signature.generateKeyPair()).privateKey);
  const now = BigInt(Math.floor(Date.now() / 1000));
  const { keyPackage } = await createKeyPackage({
    ...{ suite, signer, credential: basicCredential("mallory") },
    lifetime: { notBefore: now - 60n, notAfter: now + 3600n },
    capabilities: defaultCapabilities([1], { extensions: [0xf0c1] }),
  });
  // Of the group, the server knows what is here, and nothing else is signed.
  const { epoch } = atAlice.snapshot;
  const groupId = fromHex(atAlice.id);
  const nothing = new Uint8Array(0);
  const context = { version: 1, cipherSuite: 1, groupId, epoch, treeHash: nothing, confirmedTranscriptHash: nothing };
  const message = await createNewMemberProposal({ ...context, extensions: [] }, keyPackage, { signer });

  const codes = [alice, bob].map(({ client }) => problems(client));
  const heard = [listen(atAlice), listen(atBob)];
  await bob.delivery.sendMessage({ groupId, epoch, message });
  await Promise.all([alice.client.sync(), bob.client.sync()]);
  await atAlice.send("still here");
  await atBob.send("me too");
  await until(() => heard.every(({ length }) => length === 1));
  // Longer than members wait before they commit what was proposed.
  await new Promise((resolve) => setTimeout(resolve, 150));
  await agree(atAlice, atBob);
  expect([names(atAlice), names(atBob)]).toEqual([names(atBob), ["alice", "bob"]]);
  expect(atAlice.snapshot.epoch).toBe(epoch);
  expect(codes).toEqual([[], []]);
});
