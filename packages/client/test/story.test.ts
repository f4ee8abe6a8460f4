/** What everybody does: create, invite, talk, remove, come back. */
import { expect, test } from "vitest";
import { agree, arrival, listen, names, texts, until, World } from "./world.ts";

test("create, invite, talk both ways, add a third, remove them, reopen", async () => {
  const world = new World();
  const aliceDevice = world.device("alice");
  const { client: alice } = await aliceDevice.open();
  const bob = await world.client("bob");
  const carol = await world.client("carol");

  const atAlice = await alice.createGroup({ title: "Garden" });
  await atAlice.add(["bob"]);
  const atBob = await arrival(bob, atAlice.id);
  expect(atBob.snapshot).toMatchObject({ title: "Garden", invitedBy: "alice", status: "active", epoch: 1n });
  await agree(atAlice, atBob);

  const heardByBob = listen(atBob);
  const heardByAlice = listen(atAlice);
  await atAlice.send("hello");
  await until(() => heardByBob.length === 1);
  await atBob.send("good morning");
  await until(() => heardByAlice.length === 1);
  expect(heardByBob).toEqual(["alice: hello"]);
  expect(heardByAlice).toEqual(["bob: good morning"]);

  await atBob.add(["carol"]);
  const atCarol = await arrival(carol, atAlice.id);
  await agree(atAlice, atBob, atCarol);
  expect(names(atAlice)).toEqual(["alice", "bob", "carol"]);
  await atCarol.send("hi both");
  await until(() => heardByBob.length === 2 && heardByAlice.length === 2);

  await atAlice.remove(["carol"]);
  await until(() => atCarol.snapshot.status === "removed");
  await agree(atAlice, atBob);
  await atAlice.send("between us");
  await until(() => heardByBob.length === 3);
  expect(await texts(atCarol)).toEqual(["hi both"]);
  await expect(atCarol.send("still here?")).rejects.toMatchObject({ code: "ERR_CLIENT_NOT_ACTIVE" });

  await alice.close();
  const { client: again } = await aliceDevice.open();
  const reopened = again.conversation(atAlice.id);
  if (reopened === undefined) throw new Error("the conversation is stored");
  expect(await texts(reopened)).toEqual(["hello", "good morning", "hi both", "between us"]);
  await reopened.send("back again");
  await until(() => heardByBob.length === 4);
  await agree(reopened, atBob);
});
