/**
 * A real engine's quota. In a browser of its own (see vitest.browser.config.ts): the engine remembers for minutes how
 * much room an origin has, and the limit would hit other tests.
 */
import { cdp } from "vitest/browser";
import { expect, test } from "vitest";
import { openIndexedDbStore } from "../../src/index.ts";

test("a write over the quota is ERR_STORE_QUOTA, leaves nothing, and the store lives (adversarial 41)", async () => {
  await cdp().send("Storage.overrideQuotaForOrigin", { origin: location.origin, quotaSize: 2 * 1024 * 1024 });
  const store = await openIndexedDbStore({ name: "quota" });
  await store.write([{ partition: "p", expectedVersion: 0, put: new Map([["a", Uint8Array.of(1)]]) }]);
  const large = new Map(Array.from({ length: 8 }, (_, index) => [`large/${index}`, new Uint8Array(1024 * 1024)]));
  for (let attempt = 0; attempt < 3; attempt++) {
    const writing = store.write([
      { partition: "p", expectedVersion: 1, put: large },
      { partition: "q", expectedVersion: 0, put: new Map([["b", Uint8Array.of(2)]]) },
    ]);
    await expect(writing).rejects.toMatchObject({ code: "ERR_STORE_QUOTA", cause: { name: "QuotaExceededError" } });
    const { version, records } = await store.read("p", [{ prefix: "" }]);
    expect([version, [...records.keys()]]).toEqual([1, ["a"]]);
    expect((await store.partitions()).names).toEqual(["p"]);
  }
  // The engine still counts what the failed writes left in its files, so more room is what makes the difference.
  await cdp().send("Storage.overrideQuotaForOrigin", { origin: location.origin });
  const small = { partition: "p", expectedVersion: 1, put: new Map([["b", Uint8Array.of(2)]]) };
  await expect
    .poll(() => store.write([small]).then(() => "written", String), { interval: 500, timeout: 20_000 })
    .toBe("written");
  expect((await store.read("p", [])).version).toBe(2);
  await store.close();
});
