/** Signing in and signing off. */
import { assertRejects, at, createIdentity, uniqueName, withUsers, type ConformanceCase } from "./harness.ts";

export const signInCases: readonly ConformanceCase[] = [
  {
    title: "a name belongs to the key that registered it, on every later connection",
    run: async (connect) => {
      const identity = await createIdentity();
      const first = await connect(identity);
      const second = await connect(identity);
      await second.countKeyPackages();
      await assertRejects(connect(await createIdentity(identity.user)), "ERR_DS_NAME_TAKEN");
      await first.close();
      await second.close();
    },
  },
  {
    title: "names that differ in case or in a letter are different users",
    run: async (connect) => {
      const name = uniqueName("zoé");
      for (const user of [name, name.toUpperCase(), name.replace("é", "e")]) {
        await (await connect(await createIdentity(user))).close();
      }
    },
  },
  {
    title: "names may have 64 characters of any script",
    run: async (connect) => {
      const name = uniqueName("𝕏 漢字");
      const longest = name + "𝕏".repeat(64 - Array.from(name).length);
      await (await connect(await createIdentity(longest))).close();
    },
  },
  ...(
    [
      ["empty", ""],
      ["of 65 characters", "x".repeat(65)],
      ["far too long", "x".repeat(100_000)],
      ["with a control character", "a\u0000b"],
      ["with a line break", "a\nb"],
      ["with a line separator", "a\u2028b"],
      ["with a lone surrogate", "a\ud800b"],
      ["with space around", " a"],
      ["with a no-break space at the end", "a\u00a0"],
      ["not in normalisation form C", "e\u0301"],
    ] as const
  ).map(([what, name]) => ({
    title: `a name ${what} is refused`,
    run: async (connect: Parameters<ConformanceCase["run"]>[0]) => {
      await assertRejects(connect(await createIdentity(name)), "ERR_DS_NAME_INVALID");
    },
  })),
  {
    title: "a wrong answer to the challenge is refused and registers nothing",
    run: async (connect) => {
      const identity = await createIdentity();
      const other = await createIdentity();
      await assertRejects(connect({ ...identity, sign: other.sign.bind(other) }), "ERR_DS_SIGN_IN");
      const onDifferentBytes = { ...identity, sign: () => identity.sign(new Uint8Array(32)) };
      await assertRejects(connect(onDifferentBytes), "ERR_DS_SIGN_IN");
      await (await connect(await createIdentity(identity.user))).close();
    },
  },
  {
    title: "calls after close reject, repeated close is no error",
    run: withUsers(1, async (users) => {
      const { service } = at(users, 0);
      await service.close();
      await service.close();
      await assertRejects(service.countKeyPackages(), "ERR_DS_CLOSED");
      await assertRejects(
        new Promise(() => {
          service.subscribe(() => undefined);
        }),
        "ERR_DS_CLOSED",
      );
    }),
  },
  {
    title: "close rejects the calls that are under way",
    run: withUsers(1, async (users) => {
      const { service } = at(users, 0);
      const call = service.countKeyPackages();
      await service.close();
      await assertRejects(call, "ERR_DS_CLOSED");
    }),
  },
  {
    title: "an aborted call rejects with the signal's reason",
    run: withUsers(1, async (users) => {
      const { service } = at(users, 0);
      const reason = new Error("no longer wanted");
      const early = AbortSignal.abort(reason);
      const controller = new AbortController();
      const under = service.countKeyPackages({ signal: controller.signal });
      controller.abort(reason);
      for (const call of [service.countKeyPackages({ signal: early }), under]) {
        const outcome: unknown = await call.then(
          () => "resolved",
          (error: unknown) => error,
        );
        if (outcome !== reason) throw new Error(`the call ended with ${String(outcome)}`);
      }
      await service.countKeyPackages();
    }),
  },
];
