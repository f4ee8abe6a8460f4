import { describe, expect, it } from "vitest";
import * as direct from "../src/direct.ts";
import * as coppice from "../src/index.ts";
import { Coppice, CoppiceError, isCoppiceError } from "../src/index.ts";

describe("coppice", () => {
  it("exports what an application needs, and no more", () => {
    expect(Object.keys(coppice).sort()).toEqual(["Coppice", "CoppiceError", "isCoppiceError"]);
    expect(Object.keys(direct).sort()).toEqual(["changeKeyHere", "createMemoryStore", "openHere", "wipeHere"]);
    expect(Object.keys(Coppice)).toEqual(["open", "wipe", "changeKey"]);
    expect(Object.isFrozen(Coppice)).toBe(true);
  });

  it("refuses options that make no sense before anything is started", async () => {
    await expect(Coppice.open({ name: "", server: "https://chat.example" })).rejects.toThrow(TypeError);
    await expect(Coppice.open({ name: "alice", server: "wss://chat.example" })).rejects.toThrow(TypeError);
    await expect(Coppice.changeKey({ name: "alice", server: "https://chat.example" } as never)).rejects.toThrow(
      "The option to must be a key",
    );
    await expect(Coppice.wipe({ name: "alice", server: "wss://chat.example" })).rejects.toThrow(TypeError);
    await expect(Coppice.open(undefined as never)).rejects.toThrow("Options are expected, { name, server }");
    await expect(direct.openHere(undefined as never)).rejects.toThrow("Options are expected, { name, server }");
    await expect(direct.openHere({ name: "alice" } as never)).rejects.toThrow("The option server must be the URL");
    await expect(direct.wipeHere({ name: "alice" } as never)).rejects.toThrow("The option server must be the URL");
  });

  it("fails with a code of its own where there are no workers", async () => {
    const opening = Coppice.open({ name: "alice", server: "https://chat.example" });
    const error: unknown = await opening.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CoppiceError);
    expect(isCoppiceError(error, "ERR_WORKER_UNSUPPORTED")).toBe(true);
  });

  it("takes the application's way to start the worker", async () => {
    const refusal = new Error("started");
    const worker = () => {
      throw refusal;
    };
    await expect(Coppice.open({ name: "alice", server: "https://chat.example", worker })).rejects.toBe(refusal);
  });
});
