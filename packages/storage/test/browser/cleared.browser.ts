/** The database is cleared by hand, which only Chromium's debugger can do. */
import { cdp } from "vitest/browser";
import { expect, test } from "vitest";
import { openIndexedDbStore } from "../../src/index.ts";

test("cleared by the person (site data, adversarial 41): ERR_STORE_LOST", async () => {
  const name = `test-${crypto.randomUUID()}`;
  const store = await openIndexedDbStore({ name });
  await store.write([{ partition: "p", expectedVersion: 0, put: new Map([["a", Uint8Array.of(1)]]) }]);
  await cdp().send("Storage.clearDataForOrigin", { origin: location.origin, storageTypes: "indexeddb" });
  await expect
    .poll(() =>
      store.read("p", [{ prefix: "" }]).then(
        () => "read",
        (error: unknown) => (error as { code?: string }).code,
      ),
    )
    .toBe("ERR_STORE_LOST");
  await store.close();
});
