import { describe, expect, it } from "vitest";
import { locate } from "../src/engine.ts";
import { rejection } from "./connect.ts";

const account = { name: "alice", server: "https://chat.example", database: undefined };

describe("an account", () => {
  it("has one database, however its name and the server's URL are written", async () => {
    const { database } = await locate(account);
    expect(database).toMatch(/^coppice-[0-9a-f]{32}$/);
    for (const same of [
      { server: "https://chat.example/" },
      { server: "HTTPS://Chat.Example:443/?v=2#/chat/7" },
      { name: "Alice" },
      { name: "ALICE" },
    ]) {
      expect(await locate({ ...account, ...same })).toEqual({
        name: "alice",
        server: "https://chat.example/",
        database,
      });
    }
    for (const other of [
      { name: "bob" },
      { server: "https://chat.example/team/" },
      { server: "http://chat.example" },
    ]) {
      expect((await locate({ ...account, ...other })).database).not.toBe(database);
    }
  });

  it("keeps the database that it is given", async () => {
    expect(await locate({ ...account, database: "mine" })).toMatchObject({ database: "mine" });
  });

  it("of an impossible name or server is refused", async () => {
    expect(await rejection(locate({ ...account, name: "a\u200bb" }))).toMatchObject({
      code: "ERR_CLIENT_NAME_INVALID",
    });
    expect(await rejection(locate({ ...account, server: "wss://chat.example" }))).toBeInstanceOf(TypeError);
    expect(await rejection(locate({ ...account, server: "https://a:b@chat.example" }))).toBeInstanceOf(TypeError);
  });
});
