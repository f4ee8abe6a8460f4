/** Identities of leaves, by themselves and against device logs. */
import { toHex } from "@coppice/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  checkIdentity,
  decodeIdentity,
  encodeIdentity,
  identityStanding,
  type IdentityStanding,
} from "@coppice/delivery/contract";
import { id, key, Writer } from "./people.ts";

const reason = (why: string): Error =>
  expect.objectContaining({
    code: "ERR_DS_DEVICE_LOG",
    detail: expect.objectContaining({ reason: why }) as unknown,
  }) as Error;

describe("the identity of a leaf", () => {
  const alice = { client: { user: "alice", device: id(1) }, position: 258 };

  test("has the documented encoding", () => {
    expect(toHex(encodeIdentity(alice))).toBe(`0105${toHex(new TextEncoder().encode("alice"))}${id(1)}00000102`);
  });

  test("comes back as it was, and has no other encoding", () => {
    const identity = fc.record({
      client: fc.record({
        user: fc.stringMatching(/^[a-z0-9]{1,64}$/),
        device: fc.uint8Array({ minLength: 16, maxLength: 16 }).map(toHex),
      }),
      position: fc.nat(9_999),
    });
    fc.assert(
      fc.property(identity, fc.nat(), fc.nat(255), (value, at, byte) => {
        const encoded = encodeIdentity(value);
        expect(decodeIdentity(encoded)).toEqual(value);
        encoded[at % encoded.length] = byte;
        try {
          expect(encodeIdentity(decodeIdentity(encoded))).toEqual(encoded);
        } catch (error) {
          expect(error).toEqual(reason("malformed"));
        }
      }),
    );
  });

  test.each(["Alice", "al\u200bice", "\u0430lice", "alice ", "zoe\u0308", "", "x".repeat(65)])(
    "names a user in the normal form of names: not %j",
    (user) => {
      expect(() => encodeIdentity({ ...alice, client: { user, device: id(1) } })).toThrow();
      const name = new TextEncoder().encode(user);
      const header = name.length < 64 ? [name.length] : [0x40, name.length];
      const forged = Uint8Array.of(1, ...header, ...name, ...new Uint8Array(20));
      expect(() => decodeIdentity(forged)).toThrow(reason("malformed"));
    },
  );

  test("is refused in another version, cut, or with something behind it", () => {
    const encoded = encodeIdentity(alice);
    expect(() => decodeIdentity(Uint8Array.of(2, ...encoded.subarray(1)))).toThrow(reason("malformed"));
    expect(() => decodeIdentity(Uint8Array.of(0, ...encoded.subarray(1)))).toThrow(reason("malformed"));
    expect(() => decodeIdentity(encoded.subarray(0, -1))).toThrow(reason("malformed"));
    expect(() => decodeIdentity(Uint8Array.of(...encoded, 0))).toThrow(reason("malformed"));
    expect(() => decodeIdentity(new TextEncoder().encode("alice"))).toThrow(reason("malformed"));
  });

  test.each([-1, 0.5, 10_000, Number.NaN])("has no position %d", (position) => {
    expect(() => encodeIdentity({ ...alice, position })).toThrow(RangeError);
  });
});

describe("against the device log", () => {
  /** 0 create 1, 1 add 2, 2 replace 2, 3 add 3, 4 remove 3, 5 replace 1, 6 remove 1. */
  const history = (async () => {
    const writer = await Writer.create();
    await writer.add(2);
    await writer.replace(2, "second of 2");
    await writer.add(3);
    await writer.remove(3);
    await writer.replace(1, "second of 1");
    await writer.remove(1, id(2));
    return writer.verified;
  })();

  const standing = async (device: number, position: number, as: number | string, user = "alice") =>
    identityStanding(await history, { client: { user, device: id(device) }, position }, (await key(as)).publicKey);

  test.each<[IdentityStanding, number, number, number | string]>([
    ["listed", 2, 2, "second of 2"],
    ["listed", 2, 6, "second of 2"],
    ["replaced", 2, 1, 2],
    ["removed", 3, 3, 3],
    ["removed", 1, 5, "second of 1"],
    ["removed", 1, 0, 1],
    ["ahead", 2, 7, "second of 2"],
    ["unlisted", 2, 0, 2],
    ["unlisted", 3, 4, 3],
    ["unlisted", 9, 0, 1],
    ["other-key", 2, 2, 2],
    ["other-key", 2, 1, "second of 2"],
    ["other-key", 2, 2, 9],
  ])("a leaf is %s: device %d at position %d under the key of %s", async (expected, device, position, as) => {
    expect(await standing(device, position, as)).toBe(expected);
  });

  test("a leaf of another user is refused", async () => {
    expect(await standing(2, 2, "second of 2", "bob")).toBe("other-user");
  });

  test("only a listed leaf is let in; the others with their reason", async () => {
    const log = await history;
    const check = async (device: number, position: number, as: number | string) => {
      checkIdentity(log, { client: { user: "alice", device: id(device) }, position }, (await key(as)).publicKey);
    };
    await check(2, 2, "second of 2");
    await expect(check(2, 1, 2)).rejects.toEqual(reason("replaced"));
    await expect(check(3, 3, 3)).rejects.toEqual(reason("removed"));
    await expect(check(2, 7, "second of 2")).rejects.toEqual(reason("ahead"));
    await expect(check(9, 0, 1)).rejects.toEqual(reason("unlisted"));
    await expect(check(2, 2, 9)).rejects.toEqual(reason("other-key"));
  });
});
