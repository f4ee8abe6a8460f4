/** The title of a group: known to its members, sealed for everybody else. */
import { describe, expect, test } from "vitest";
import { concat, fromHex, getCipherSuite, randomBytes, utf8, type Bytes, type Extension } from "@coppice/core";
import { TITLE_EXTENSION } from "../../src/account/authentication.ts";
import { newTitleKey, titleKeyExtensions, titleKeyIn, titleOf, withTitle } from "../../src/conversation/title.ts";
import { pair, World } from "../world.ts";

const suite = await getCipherSuite(1);
const key = newTitleKey(suite);
const groupId = randomBytes(32);

const opened = (extensions: readonly Extension[], by: Bytes | undefined = key, id = groupId): Promise<string> =>
  titleOf({ suite, context: { groupId: id, extensions } as never }, by);

const sealed = (title: string): Promise<readonly Extension[]> => withTitle([], title, { suite, groupId, key });

function holds(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes).includes(text);
}

describe("a sealed title", () => {
  test.each(["Garden", "ö".repeat(64), "x".repeat(128), "\ufeffTeam", "a\0b"])(
    "is opened with the key: %s",
    async (title) => {
      const extensions = await sealed(title);
      expect(await opened(extensions)).toBe(title);
      expect(extensions.map(({ extensionData }) => holds(extensionData, title))).toEqual([false]);
    },
  );

  test("says nothing of its length, and is another each time", async () => {
    const [one, two, three] = await Promise.all(["a", "a", "a longer one"].map(sealed));
    expect(new Set([one, two, three].map((found) => found?.[0]?.extensionData.length)).size).toBe(1);
    expect(one).not.toEqual(two);
  });

  test("is empty with another key, without one, in another group, and where a member put other bytes", async () => {
    const extensions = await sealed("Garden");
    const data = extensions[0]?.extensionData ?? new Uint8Array();
    const put = (extensionData: Bytes): readonly Extension[] => [{ extensionType: TITLE_EXTENSION, extensionData }];
    expect(await opened(extensions, newTitleKey(suite))).toBe("");
    expect(await titleOf({ suite, context: { groupId, extensions } as never }, undefined)).toBe("");
    expect(await opened(extensions, key, randomBytes(32))).toBe("");
    for (const odd of [
      new Uint8Array(),
      utf8("Garden"),
      data.slice(1),
      concat(data, data),
      data.map((byte) => byte ^ 1),
    ])
      expect(await opened(put(odd))).toBe("");
    expect(await opened([])).toBe("");
  });

  test("is empty where a member sealed no UTF-8", async () => {
    const padded = new Uint8Array(128).fill(0xff, 0, 3);
    const nonce = randomBytes(suite.aead.Nn);
    const extensionData = concat(nonce, await suite.aead.seal(key, nonce, groupId, padded));
    expect(await opened([{ extensionType: TITLE_EXTENSION, extensionData }])).toBe("");
  });

  test("takes the place of the former one alone, and an empty title takes it away", async () => {
    const other = { extensionType: 0xf0aa, extensionData: Uint8Array.of(1) };
    const renamed = await withTitle([...(await sealed("Old")), other], "New", { suite, groupId, key });
    expect(renamed.map(({ extensionType }) => extensionType)).toEqual([0xf0aa, TITLE_EXTENSION]);
    expect(await opened(renamed)).toBe("New");
    expect(await withTitle(renamed, "", { suite, groupId, key })).toEqual([other]);
  });

  test("has its key in a Welcome, if that is of the suite's length", () => {
    expect(titleKeyIn(titleKeyExtensions(key), suite)).toEqual(key);
    expect(titleKeyExtensions(undefined)).toEqual([]);
    for (const odd of [new Uint8Array(), key.slice(1)])
      expect(titleKeyIn(titleKeyExtensions(odd), suite)).toBeUndefined();
    expect(titleKeyIn([], suite)).toBeUndefined();
  });
});

describe("a title that does not survive UTF-8", () => {
  test.each(["Party \ud83c", "x\0"])("is refused before anything happens: %j", async (title) => {
    const {
      world,
      alice: { client: alice },
      atAlice,
    } = await pair();
    const { epoch } = atAlice.snapshot;
    await expect(world.run(atAlice.rename(title))).rejects.toThrow(TypeError);
    expect(atAlice.snapshot).toMatchObject({ epoch, title: "" });
    await expect(alice.createGroup({ title })).rejects.toThrow(TypeError);
    expect(alice.conversations).toHaveLength(1);
  });
});

test("a title that begins with a byte order mark is one Commit's work, and arrives as it is", async () => {
  const { world, atAlice, atBob } = await pair();
  const { epoch } = atAlice.snapshot;
  await world.run(atAlice.rename("\ufeffTeam"));
  expect(atAlice.snapshot.epoch).toBe(epoch + 1n);
  await world.until(() => atBob.snapshot.title === "\ufeffTeam");
});

test("members read and change it; what the Delivery Service keeps of the group does not have it", async () => {
  const world = new World();
  const alice = await world.device("alice").open();
  const [bob, carol] = [await world.client("bob"), await world.client("carol")];
  const atAlice = await alice.client.createGroup({ title: "Garden" });
  const groupId = fromHex(atAlice.id);
  const kept = async (): Promise<Bytes> => (await alice.delivery.readGroupInfo(groupId)).groupInfo;
  await world.run(atAlice.add("bob"));
  const atBob = await world.arrival(bob, atAlice.id);
  expect(atBob.snapshot.title).toBe("Garden");
  expect(holds(await kept(), "Garden")).toBe(false);

  // By somebody who was added, for somebody whom they add.
  await world.run(atBob.rename("Shed"));
  await world.until(() => atAlice.snapshot.title === "Shed");
  expect(holds(await kept(), "Shed")).toBe(false);
  await world.run(atBob.add("carol"));
  expect((await world.arrival(carol, atAlice.id)).snapshot.title).toBe("Shed");
});
