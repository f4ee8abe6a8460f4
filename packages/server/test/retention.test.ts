import { expect, test } from "vitest";
import { Database } from "../src/database/database.ts";
import { resolveLimits, type ServerLimits } from "../src/limits.ts";
import { Accounts } from "../src/store/accounts.ts";
import { Groups } from "../src/store/groups.ts";
import { Inbox } from "../src/store/inbox.ts";
import { KeyPackages } from "../src/store/key-packages.ts";
import { forget } from "../src/store/retention.ts";

function openStore(given: Partial<ServerLimits>) {
  let now = 1_000_000;
  const clock = () => now;
  const limits = resolveLimits(given);
  const database = new Database(":memory:");
  const accounts = new Accounts(database, limits, clock);
  const inbox = new Inbox(database, limits, clock);
  const groups = new Groups({ database, accounts, inbox, limits, clock });
  const keyPackages = new KeyPackages(database, accounts, limits, clock);
  const newUser = (name: string) =>
    accounts.authenticate(accounts.signIn(name, new Uint8Array(32), () => undefined).token).user;
  return {
    ...{ accounts, database, groups, inbox, keyPackages, newUser },
    later: (milliseconds: number) => {
      now += milliseconds;
      while (forget(database, limits, now));
    },
    count: (table: string) => database.first(`SELECT count(*) AS count FROM ${table}`).integer("count"),
  };
}

const groupId = new Uint8Array(8);
const bytes = (...values: readonly number[]) => new Uint8Array(values);

test("without a retention nothing of the log is forgotten", () => {
  const { groups, newUser, later, count } = openStore({});
  const user = newUser("alice");
  groups.create(user, groupId);
  groups.send(user, groupId, 0n, bytes(1));
  later(1000 * 365 * 86_400_000);
  expect(count("log")).toBe(1);
});

test("messages and Welcomes are forgotten after their time; numbering goes on", () => {
  const { groups, inbox, newUser, later, count } = openStore({ messageRetention: 1000 });
  const [alice, bob] = [newUser("alice"), newUser("bob")];
  groups.create(alice, groupId);
  const added = [{ user: "bob", welcome: bytes(9) }];
  groups.commit(alice, { groupId, epoch: 0n, commit: bytes(1), added, removed: [] });
  for (let i = 0; i < 1200; i++) groups.send(alice, groupId, 1n, bytes(2, i >> 8, i & 255));
  later(600);
  groups.send(alice, groupId, 1n, bytes(3));
  later(600);
  expect([count("log"), count("inbox"), count("welcomes")]).toEqual([1, 0, 0]);
  expect(inbox.read(bob)).toEqual([]);
  expect(groups.readLog(bob, groupId, 1, 10).map(({ seq }) => seq)).toEqual([1202]);
  expect(groups.send(bob, groupId, 1n, bytes(4)).seq).toBe(1203);
});

test("a clock that was set back leaves a hole in the log, which no page spans", () => {
  const { groups, newUser, later } = openStore({ messageRetention: 1000 });
  const user = newUser("alice");
  groups.create(user, groupId);
  for (const [i, milliseconds] of [100, -100, 100].entries()) {
    groups.send(user, groupId, 0n, bytes(i));
    later(milliseconds);
  }
  groups.send(user, groupId, 0n, bytes(9));
  later(920);
  const page = (after: number) => groups.readLog(user, groupId, after, 10).map(({ seq }) => seq);
  expect([page(0), page(2), page(4)]).toEqual([[2], [4], []]);
});

test("expired tokens go, key packages and the memory of claimed ones go later", () => {
  const { keyPackages, newUser, later, count } = openStore({ tokenLifetime: 100, keyPackageRetention: 1000 });
  const user = newUser("alice");
  keyPackages.publish(user, [bytes(1), bytes(2)], bytes(3));
  keyPackages.claim(["alice"]);
  later(101);
  expect([count("tokens"), count("key_packages")]).toEqual([0, 2]);
  later(1000);
  expect([count("key_packages"), keyPackages.count(user), count("last_resorts")]).toEqual([0, 0, 1]);
});
