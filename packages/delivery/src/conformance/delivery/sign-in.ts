/** Signing in and registering. */
import { fromHex, SUPPORTED_CIPHER_SUITES, toHex } from "@coppice/core";
import { isCoppiceError, randomBytes, systemTime } from "@coppice/kit";
import { assertEqual, assertRejects, at } from "../assert.ts";
import { createIdentity, newDevice, uniqueName } from "../identity.ts";
import { withUsers, type ConformanceCase } from "./harness.ts";

/** A name that no other case uses, without letters of another script. */
const uniqueIn = (name: string): string => name + String(1e15 + Math.floor(systemTime.random() * 8e15));

/** Ed25519 keys that are no keys, with a signature that a lenient verifier takes for anything (RFC 8032 §8.4): the point, and S = 0. */
const SMALL_ORDER = ["01".padEnd(64, "0"), "00".repeat(32), `ec${"ff".repeat(30)}7f`].map(
  (hex) => [fromHex(hex), fromHex(`${"01".padEnd(64, "0")}${"00".repeat(32)}`)] as const,
);

export const signInCases: readonly ConformanceCase[] = [
  {
    title: "a name belongs to the device that registered it, on every later connection",
    run: async (connect) => {
      const identity = await createIdentity();
      const first = await connect(identity);
      const { register: _, ...known } = identity;
      const second = await connect(known);
      assertEqual(await second.countKeyPackages(), 0, "key packages");
      const { user, device } = identity.client;
      await assertRejects(connect(await createIdentity({ user })), "ERR_DS_NAME_TAKEN");
      await assertRejects(connect(await createIdentity({ user, device })), "ERR_DS_NAME_TAKEN");
      await first.close();
      await second.close();
    },
  },
  {
    title: "a name is registered only by the first entry of its device log",
    run: async (connect) => {
      const identity = await createIdentity();
      const { register, ...stranger } = identity;
      await assertRejects(connect(stranger), "ERR_DS_UNKNOWN_USER");
      const other = await createIdentity();
      for (const wrong of [
        other.register,
        { ...register, signature: other.register.signature },
        { ...register, user: uniqueName() },
        { ...register, position: 1 },
        await identity.extend(register, { action: "add", device: newDevice(), key: other.key }),
      ]) {
        await assertRejects(connect({ ...identity, register: wrong }), "ERR_DS_DEVICE_LOG");
      }
      await assertRejects(connect(stranger), "ERR_DS_UNKNOWN_USER");
      const service = await connect(identity);
      assertEqual(await service.readDeviceLog({ user: identity.client.user, from: 0 }), [register], "device log");
      await service.close();
    },
  },
  {
    title: "keys of every cipher suite sign in",
    run: async (connect) => {
      for (const suite of SUPPORTED_CIPHER_SUITES) {
        const identity = await createIdentity({ suite });
        const service = await connect(identity);
        assertEqual(await service.countKeyPackages(), 0, `key packages of suite ${suite}`);
        await service.close();
      }
    },
  },
  ...(
    [
      ["empty", ""],
      ["far too long", "x".repeat(100_000)],
      ["with a control character", "a\u0000b"],
      ["with a line break", "a\nb"],
      ["with a line separator", "a\u2028b"],
      ["with space around", " a"],
      ["with a no-break space at the end", "a\u00a0"],
      ["not in normalisation form C", "e\u0301"],
      ["in upper case", "ALICE"],
      ["with a zero-width space", "ali\u200bce"],
      ["with a word joiner", "ali\u2060ce"],
      ["with a soft hyphen", "ali\u00adce"],
      ["with a Hangul filler", "ali\u3164ce"],
      ["with a sign that turns the direction", "ali\u202ece"],
      ["with a letter of another script", "\u0430lice"],
    ] as const
  ).map(([what, user]) => ({
    title: `issue 11 (14): a name ${what} is refused`,
    run: async (connect: Parameters<ConformanceCase["run"]>[0]) => {
      const identity = await createIdentity();
      const client = { ...identity.client, user };
      const error = await assertRejects(connect({ ...identity, client }), "ERR_DS_NAME_INVALID");
      assertEqual(typeof error.detail["reason"], "string", "type of detail.reason");
    },
  })),
  {
    title: "names of any script in wide use are registered, and differ by a letter",
    run: async (connect) => {
      const suffix = uniqueName("x").slice(1);
      for (const name of ["zoé", "zoe", "дарья", "漢字", "שלום"]) {
        const user = /[a-z]/.test(name) ? name + suffix : uniqueIn(name);
        const service = await connect(await createIdentity({ user }));
        await service.close();
      }
    },
  },
  {
    title: "issue 11 (14): a name that looks like another user's is not registered",
    run: async (connect) => {
      const number = uniqueIn("");
      const first = await connect(await createIdentity({ user: `scope${number}` }));
      const cyrillic = await createIdentity({ user: `\u0455\u0441\u043e\u0440\u0435${number}` });
      const error = await assertRejects(connect(cyrillic), "ERR_DS_NAME_TAKEN");
      assertEqual(error.detail["reason"], "look-alike", "detail.reason");
      await first.close();
    },
  },
  {
    title: "a wrong answer to the challenge is refused and registers nothing",
    run: async (connect) => {
      const identity = await createIdentity();
      const other = await createIdentity();
      await assertRejects(connect({ ...identity, sign: other.sign.bind(other) }), "ERR_DS_SIGN_IN");
      const onDifferentBytes = { ...identity, sign: () => identity.sign(new Uint8Array(32)) };
      await assertRejects(connect(onDifferentBytes), "ERR_DS_SIGN_IN");
      const withOtherScheme = { ...identity, suite: 2 };
      await assertRejects(connect(withOtherScheme), "ERR_DS_SIGN_IN");
      const { user } = identity.client;
      await (await connect(await createIdentity({ user }))).close();
    },
  },
  {
    title: "issue 15 (17): a key of small order, by which anything seems to be signed, signs nobody in",
    run: async (connect) => {
      for (const [publicKey, signature] of SMALL_ORDER) {
        const { register, ...rest } = await createIdentity();
        const identity = { ...rest, publicKey, sign: () => Promise.resolve(signature) };
        const { change } = register;
        if (change.action !== "create") throw new Error("A device log begins with a create entry");
        const own = { ...register, change: { ...change, key: { suite: 1, publicKey } }, signature };
        // Whichever comes first: the challenge, or the entry.
        const refused = await connect({ ...identity, register: own }).catch((error: unknown) => error);
        const isRefused = isCoppiceError(refused, "ERR_DS_SIGN_IN") || isCoppiceError(refused, "ERR_DS_DEVICE_LOG");
        assertEqual(isRefused, true, `the key ${toHex(publicKey)} is refused`);
        await assertRejects(connect({ ...identity, register }), "ERR_DS_SIGN_IN");
      }
    },
  },
  {
    title: "a device that its user's log does not list does not get in",
    run: withUsers(1, async (users, connect) => {
      const { identity } = at(users, 0);
      const client = { ...identity.client, device: newDevice() };
      await assertRejects(connect({ ...identity, client }), "ERR_DS_NAME_TAKEN");
      const otherSuite = await createIdentity({ suite: 3, ...identity.client });
      await assertRejects(connect(otherSuite), "ERR_DS_NAME_TAKEN");
    }),
  },
  {
    title: "a malformed identity is the caller's mistake",
    run: async (connect) => {
      const identity = await createIdentity();
      for (const client of [
        { ...identity.client, device: "abc" },
        { ...identity.client, device: identity.client.device.toUpperCase().replace(/^./, "A") },
      ]) {
        const outcome: unknown = await connect({ ...identity, client }).catch((error: unknown) => error);
        if (!(outcome instanceof RangeError)) throw new Error(`it ended with ${String(outcome)}`);
      }
      const noKey = { ...identity, publicKey: randomBytes(0) };
      const outcome: unknown = await connect(noKey).catch((error: unknown) => error);
      if (!(outcome instanceof RangeError)) throw new Error(`it ended with ${String(outcome)}`);
    },
  },
];
