/** Following a device log, by rule. Each negative test changes one thing about a log that is valid. */
import { equalBytes, getCipherSuite, SUPPORTED_CIPHER_SUITES } from "@coppice/core";
import { beforeAll, describe, expect, test, vi } from "vitest";
import {
  type DeviceLogChange,
  type DeviceLogEntry,
  type DeviceLogRule,
  listedDevices,
  MAX_DEVICE_LOG_ENTRIES,
  MAX_LISTED_DEVICES,
  verifyDeviceLog,
} from "@coppice/delivery/contract";
import { signedContent } from "../../src/device-log/codec.ts";
import { LogBuilder } from "../../src/device-log/rules.ts";
import { forge, id, key, nonce, publicPart, Writer } from "./people.ts";

/** The error for a log that breaks a rule. */
const breaks = (rule: DeviceLogRule, position: number): unknown =>
  expect.objectContaining({ code: "ERR_DS_DEVICE_LOG", requirement: rule, detail: { rule, position, user: "alice" } });

const refused = (promise: Promise<unknown>, rule: DeviceLogRule, position: number): Promise<void> =>
  expect(promise).rejects.toEqual(breaks(rule, position));

/** create 1, add 2, recovery, replace 2, add 3, remove 3, add 4 by 2. */
let alice: Writer;

beforeAll(async () => {
  alice = await Writer.create();
  await alice.add(2);
  await alice.recover("paper");
  await alice.replace(2, "second of 2");
  await alice.add(3, { by: "recovery" });
  await alice.remove(3, id(3));
  await alice.add(4, { by: id(2) });
});

describe("a valid log", () => {
  test("is folded into devices and keys, with the positions at which they were listed", async () => {
    const log = await alice.verify();
    expect(log).toEqual(alice.log);
    expect(log.position).toBe(6);
    const spans = [...log.devices].map(([device, keys]) => [device, keys.map(({ since, until }) => [since, until])]);
    expect(spans).toEqual([
      [id(1), [[0, undefined]]],
      [
        id(2),
        [
          [1, 3],
          [3, undefined],
        ],
      ],
      [id(3), [[4, 5]]],
      [id(4), [[6, undefined]]],
    ]);
    expect(log.recovery.map(({ since, until }) => [since, until])).toEqual([[2, undefined]]);
    expect(listedDevices(log).map(({ device, since }) => [device, since])).toEqual([
      [id(1), 0],
      [id(2), 3],
      [id(4), 6],
    ]);
    expect(listedDevices(log)[1]?.key).toEqual(publicPart(await key("second of 2")));
  });

  test("costs one signature for each entry that is new, and gives the same in any pieces", async () => {
    const whole = await alice.verify();
    const verified = vi.spyOn((await getCipherSuite(1)).signature, "verify");
    for (let cut = 1; cut <= alice.entries.length; cut++) {
      const pinned = await alice.verify(alice.entries.slice(0, cut));
      verified.mockClear();
      expect(await alice.verify(alice.entries.slice(cut - 1), pinned)).toEqual(whole);
      expect(verified).toHaveBeenCalledTimes(alice.entries.length - cut);
      expect(await alice.verify(alice.entries, pinned)).toEqual(whole);
      if (cut < alice.entries.length) expect(await alice.verify(alice.entries.slice(cut), pinned)).toEqual(whole);
    }
    verified.mockRestore();
  });

  test("keeps its value where nothing is new", async () => {
    const pinned = alice.verified;
    expect(await alice.verify(alice.entries.slice(-1), pinned)).toBe(pinned);
    expect(await alice.verify(alice.entries, pinned)).toBe(pinned);
  });

  test("does not change what was pinned before", async () => {
    const pinned = await alice.verify(alice.entries.slice(0, 3));
    const before = structuredClone(pinned);
    await alice.verify(alice.entries, pinned);
    expect(pinned).toEqual(before);
  });

  test("is an own copy of what was handed in", async () => {
    const entries = structuredClone(alice.entries);
    const log = await alice.verify(entries);
    for (const { change } of entries) if ("key" in change) change.key.publicKey.fill(0);
    expect(log).toEqual(alice.log);
  });

  test.each(SUPPORTED_CIPHER_SUITES)("may have keys of suite %d", async (suite) => {
    const writer = await Writer.create("alice", { suite });
    await writer.add(2, { suite });
    await writer.remove(1, id(2));
    expect(listedDevices(await writer.verify()).map(({ key: { suite: of } }) => of)).toEqual([suite]);
  });

  test("may remove the last device by the recovery key, and add one again", async () => {
    const writer = await Writer.create();
    await writer.recover("paper");
    await writer.remove(1, "recovery");
    expect(listedDevices(await writer.verify())).toEqual([]);
    await writer.add(2, { by: "recovery" });
    expect(listedDevices(await writer.verify()).map(({ device }) => device)).toEqual([id(2)]);
  });

  test("another user's pin is the caller's mistake", async () => {
    const call = verifyDeviceLog(alice.entries, { user: "bob", pinned: alice.verified });
    await expect(call).rejects.toThrow(RangeError);
  });
});

describe("an entry by itself", () => {
  const withFirst = (fields: object): DeviceLogEntry[] => [Object.assign({}, alice.entries[0], fields)];

  test.each<[string, () => object]>([
    ["a device id that is none", () => ({ signer: "1" })],
    ["a user name of 257 bytes", () => ({ user: "x".repeat(257) })],
    ["half a surrogate pair", () => ({ user: "\ud800" })],
    ["a position below zero", () => ({ position: -1 })],
    ["a position that is no number", () => ({ position: Number.NaN })],
    ["a hash of 31 bytes", () => ({ previous: new Uint8Array(31) })],
    ["a signature of 257 bytes", () => ({ signature: new Uint8Array(257) })],
    ["an action that does not exist", () => ({ change: { action: "rename", device: id(1) } })],
    ["a nonce of 31 bytes", () => ({ change: { ...alice.entries[0]?.change, nonce: new Uint8Array(31) } })],
    ["no signature", () => ({ signature: undefined })],
  ])("DL-1 is refused with %s", async (_what, fields) => {
    await refused(alice.verify(withFirst(fields())), "DL-1", 0);
  });

  test("DL-2 is refused where it is another user's", async () => {
    const bob = await Writer.create("bob");
    await refused(verifyDeviceLog(bob.entries, { user: "alice" }), "DL-2", 0);
  });
});

describe("the chain", () => {
  test("DL-3 is refused where it is empty, begins later, has a gap, a repetition or another order", async () => {
    const [a, b, c] = alice.entries;
    if (a === undefined || b === undefined || c === undefined) throw new Error("three entries are expected");
    await refused(alice.verify([]), "DL-3", 0);
    await refused(alice.verify([b, c]), "DL-3", 1);
    await refused(alice.verify([a, c]), "DL-3", 2);
    await refused(alice.verify([a, a, b]), "DL-3", 0);
    await refused(alice.verify([a, c, b]), "DL-3", 2);
    await refused(alice.verify(alice.entries.slice(4), await alice.verify([a, b, c])), "DL-3", 4);
  });

  test("DL-4 is refused where an entry names another one before it", async () => {
    const other = await Writer.create("alice", { nonce: 8 });
    await other.add(5);
    await refused(alice.verify([...alice.entries.slice(0, 1), ...other.entries.slice(1)]), "DL-4", 1);
    const first = await forge(new Writer(), await key(1), {
      change: { action: "create", device: id(1), key: publicPart(await key(1)), nonce: nonce(1) },
      signer: id(1),
      previous: new Uint8Array(32),
    });
    await refused(alice.verify([first]), "DL-4", 0);
  });

  test("DL-4 is refused within what is pinned already", async () => {
    const other = await Writer.create("alice", { nonce: 8 });
    await other.add(5);
    const entries = [...alice.entries.slice(0, 1), ...other.entries.slice(1, 2), ...alice.entries.slice(2)];
    await refused(alice.verify(entries, alice.verified), "DL-4", 1);
  });
});

describe("the first entry", () => {
  test("DL-5 is refused unless it creates, by the device itself, and no other one may", async () => {
    const own = publicPart(await key(1));
    const create: DeviceLogChange = { action: "create", device: id(1), key: own, nonce: nonce(1) };
    const add: DeviceLogChange = { action: "add", device: id(1), key: own };
    const nobody = new Writer();
    await refused(alice.verify([await forge(nobody, await key(1), { change: add, signer: id(1) })]), "DL-5", 0);
    await refused(alice.verify([await forge(nobody, await key(1), { change: create, signer: id(2) })]), "DL-5", 0);
    await refused(alice.verify([await forge(nobody, await key(1), { change: create, signer: "recovery" })]), "DL-5", 0);
    const again = { ...create, device: id(9), key: publicPart(await key(9)) };
    const second = await forge(alice, await key(9), { change: again, signer: id(9) });
    await refused(alice.verify([second], alice.verified), "DL-5", 7);
  });
});

describe("the signer", () => {
  const extend = async (signer: string, as: number | string): Promise<DeviceLogEntry> =>
    forge(alice, await key(as), {
      change: { action: "add", device: id(9), key: publicPart(await key(9)) },
      signer,
    });

  test("DL-6 is refused where it is not listed, not any more, or not yet", async () => {
    for (const [signer, as] of [
      [id(8), 8],
      [id(3), 3],
      [id(9), 9],
    ] as const) {
      await refused(alice.verify([await extend(signer, as)], alice.verified), "DL-6", 7);
    }
    const without = await Writer.create();
    const entry = await forge(without, await key("paper"), {
      change: { action: "remove", device: id(1) },
      signer: "recovery",
    });
    await refused(without.verify([entry], without.verified), "DL-6", 1);
  });

  test("DL-7 is refused where it signs by another key: another device's, its own former one, nobody's", async () => {
    for (const as of [4, 2, 9, "paper"]) {
      await refused(alice.verify([await extend(id(2), as)], alice.verified), "DL-7", 7);
    }
    const recovered = alice.copy();
    await recovered.recover("new paper");
    const change: DeviceLogChange = { action: "remove", device: id(4) };
    const former = await forge(recovered, await key("paper"), { change, signer: "recovery" });
    await refused(recovered.verify([former], recovered.verified), "DL-7", 8);
  });

  test("DL-7 is refused where anything that is signed was changed", async () => {
    const honest = await extend(id(1), 1);
    expect((await alice.verify([honest], alice.verified)).position).toBe(7);
    const change = { action: "add", device: id(10), key: publicPart(await key(9)) } as const;
    for (const forged of [
      { ...honest, change },
      { ...honest, signer: id(2) },
      { ...honest, signature: honest.signature.map((byte, i) => (i === 5 ? byte ^ 1 : byte)) },
      { ...honest, signature: new Uint8Array(0) },
      { ...honest, signature: alice.entries[1]?.signature ?? honest.signature },
    ]) {
      await refused(alice.verify([forged], alice.verified), "DL-7", 7);
    }
  });

  test("DL-7 is refused under a signature for something else, with the same bytes after another label", async () => {
    const honest = await extend(id(1), 1);
    const { signer } = await key(1);
    const label = new TextEncoder().encode("Coppice device log 2");
    const content = signedContent(honest);
    content.set(label, 1);
    await refused(
      alice.verify([{ ...honest, signature: new Uint8Array(await signer.sign(content)) }], alice.verified),
      "DL-7",
      7,
    );
  });

  test("DL-7 comes before what is wrong further on", async () => {
    const forged = alice.entries.map((entry, i) => (i === 2 ? { ...entry, signature: new Uint8Array(64) } : entry));
    await refused(alice.verify(forged), "DL-7", 2);
    const last = alice.entries
      .slice(0, 2)
      .map((entry, i) => (i === 0 ? { ...entry, signature: new Uint8Array(64) } : entry));
    await refused(alice.verify(last), "DL-7", 0);
  });
});

describe("the change", () => {
  const refuse = async (change: DeviceLogChange, rule: DeviceLogRule, log = alice): Promise<void> => {
    const entry = await forge(log, await key(1), { change, signer: id(1) });
    await refused(log.verify([entry], log.verified), rule, log.entries.length);
    await refused(log.copy().sign(change, id(1)), rule, log.entries.length);
  };

  test("DL-8 is refused where an added device is listed, or was", async () => {
    const fresh = publicPart(await key(9));
    await refuse({ action: "add", device: id(2), key: fresh }, "DL-8");
    await refuse({ action: "add", device: id(3), key: fresh }, "DL-8");
  });

  test("DL-9 is refused where the device is not listed, or not any more", async () => {
    const fresh = publicPart(await key(9));
    for (const device of [id(3), id(8)]) {
      await refuse({ action: "remove", device }, "DL-9");
      await refuse({ action: "replace", device, key: fresh }, "DL-9");
    }
  });

  test("DL-10 is refused where the key is listed, or was, for any device or for recovery", async () => {
    for (const listed of [1, 2, "second of 2", 3, "paper"]) {
      const known = publicPart(await key(listed));
      await refuse({ action: "add", device: id(9), key: known }, "DL-10");
      await refuse({ action: "replace", device: id(2), key: known }, "DL-10");
      await refuse({ action: "recovery", key: known }, "DL-10");
      await refuse({ action: "recovery", key: { ...known, suite: 3 } }, "DL-10");
    }
  });

  test("DL-11 is refused where the suite does not exist or its keys have another length", async () => {
    const { publicKey } = await key(9);
    for (const suite of [0, 2, 4, 5, 6, 7, 8, 0xffff]) {
      await refuse({ action: "add", device: id(9), key: { suite, publicKey } }, "DL-11");
    }
    await refuse({ action: "recovery", key: { suite: 1, publicKey: publicKey.slice(1) } }, "DL-11");
    await refuse({ action: "replace", device: id(2), key: { suite: 1, publicKey: new Uint8Array(33) } }, "DL-11");
  });

  test("DL-12 is refused where the last device goes by its own hand", async () => {
    const writer = await Writer.create();
    await refuse({ action: "remove", device: id(1) }, "DL-12", writer);
    await writer.recover("paper");
    await refuse({ action: "remove", device: id(1) }, "DL-12", writer);
  });

  test("DL-13 is refused where 256 devices are listed, removed ones not counted", () => {
    const builder = new LogBuilder(undefined);
    const entry = (position: number, change: DeviceLogChange): DeviceLogEntry => ({
      ...{ user: "alice", position, previous: new Uint8Array(32), signer: id(0), signature: new Uint8Array(0) },
      change,
    });
    const add = (position: number): DeviceLogEntry =>
      entry(position, {
        action: "add",
        device: id(position),
        key: { suite: 1, publicKey: new Uint8Array(new Uint32Array([position]).buffer) },
      });
    for (let position = 0; position < MAX_LISTED_DEVICES; position++) builder.apply(add(position));
    expect(() => builder.apply(add(256))).toThrow(breaks("DL-13", 256));
    builder.apply(entry(256, { action: "remove", device: id(7) }));
    builder.apply(add(257));
    expect(() => builder.apply(add(258))).toThrow(breaks("DL-13", 258));
  });
});

describe("length", () => {
  test("DL-14 is refused after 10,000 entries, however it goes on", async () => {
    const pinned = { ...alice.verified, position: MAX_DEVICE_LOG_ENTRIES - 1 };
    const change: DeviceLogChange = { action: "remove", device: id(2) };
    const next = { ...alice.entries[6], position: MAX_DEVICE_LOG_ENTRIES, previous: pinned.head, change };
    await refused(alice.verify([next as DeviceLogEntry], pinned), "DL-14", MAX_DEVICE_LOG_ENTRIES);
    const writer = alice.copy();
    writer.log = pinned;
    await refused(writer.sign(change, id(1)), "DL-14", MAX_DEVICE_LOG_ENTRIES);
  });
});

describe("against what is pinned", () => {
  test("DL-15 a log that was rolled back is told from one that did not grow", async () => {
    const pinned = alice.verified;
    await refused(alice.verify([], pinned), "DL-15", 6);
    await refused(alice.verify(alice.entries.slice(0, 6), pinned), "DL-15", 6);
    await refused(alice.verify(alice.entries.slice(3, 5), pinned), "DL-15", 6);
  });

  test("DL-16 a fork is told from an extension, wherever what the server returned begins", async () => {
    const fork = await Writer.create();
    await fork.add(2);
    const pinned = await alice.verify(alice.entries.slice(0, 2));
    const forked = alice.copy();
    forked.entries.length = 1;
    forked.log = await alice.verify(alice.entries.slice(0, 1));
    await forked.add(6);
    await forked.add(7);
    expect(equalBytes(forked.verified.root, pinned.root)).toBe(true);
    await refused(alice.verify(forked.entries, pinned), "DL-16", 1);
    await refused(alice.verify(forked.entries.slice(1), pinned), "DL-16", 1);
    await refused(alice.verify(forked.entries.slice(2), pinned), "DL-16", 2);
  });

  test("DL-16 a log that begins anew is a fork", async () => {
    const anew = await Writer.create("alice", { device: 5 });
    for (const device of [6, 7, 8, 9, 10, 11]) await anew.add(device, { by: id(5) });
    await refused(alice.verify(anew.entries, alice.verified), "DL-16", 6);
  });
});

test("verifies a log of hundreds of entries a few at a time, and finds the first forged one", async () => {
  const writer = await Writer.create();
  for (let i = 0; i < 40; i++) await writer.recover(`paper ${i}`);
  expect((await writer.verify()).position).toBe(40);
  const forged = writer.entries.map((entry, i) => ({
    ...entry,
    signature: i === 20 ? new Uint8Array(64) : entry.signature,
  }));
  await refused(writer.verify(forged), "DL-7", 20);
  await refused(writer.verify(forged.slice(0, 21)), "DL-7", 20);
});
