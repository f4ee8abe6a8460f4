/** What everybody does: create, invite, talk, remove, come back. */
import { expect, test } from "vitest";
import { listen, names, texts, World } from "./world.ts";

test("create, invite, talk both ways, add a third, remove them, reopen", async () => {
  const world = new World();
  const aliceDevice = world.device("alice");
  const alice = await aliceDevice.client();
  const bob = await world.client("bob");
  const carol = await world.client("carol");

  const atAlice = await alice.createGroup({ title: "Garden" });
  await world.run(atAlice.add("bob"));
  const atBob = await world.arrival(bob, atAlice.id);
  expect(atBob.snapshot).toMatchObject({ title: "Garden", invitedBy: "alice", status: "active", epoch: 1n });
  await world.agree(atAlice, atBob);

  const heardByBob = listen(atBob);
  const heardByAlice = listen(atAlice);
  await atAlice.send("hello");
  await world.until(() => heardByBob.length === 1);
  await atBob.send("good morning");
  await world.until(() => heardByAlice.length === 1);
  expect(heardByBob).toEqual(["alice: hello"]);
  expect(heardByAlice).toEqual(["bob: good morning"]);

  await world.run(atBob.add(["carol"]));
  const atCarol = await world.arrival(carol, atAlice.id);
  await world.agree(atAlice, atBob, atCarol);
  expect(await names(atAlice)).toEqual(["alice", "bob", "carol"]);
  expect(atAlice.snapshot.memberCount).toBe(3);
  await atCarol.send("hi both");
  await world.until(() => heardByBob.length === 2 && heardByAlice.length === 2);

  await world.run(atAlice.remove("carol"));
  await world.until(() => atCarol.snapshot.status === "removed");
  await world.agree(atAlice, atBob);
  await atAlice.send("between us");
  await world.until(() => heardByBob.length === 3);
  expect(await texts(atCarol)).toEqual(["hi both"]);
  await expect(atCarol.send("still here?")).rejects.toMatchObject({ code: "ERR_CLIENT_NOT_ACTIVE" });

  await alice.close();
  const reopened = (await aliceDevice.client()).conversation(atAlice.id);
  if (reopened === undefined) throw new Error("The conversation is stored");
  expect(await texts(reopened)).toEqual(["hello", "good morning", "hi both", "between us"]);
  await reopened.send("back again");
  await world.until(() => heardByBob.length === 4);
  await world.agree(reopened, atBob);
});
