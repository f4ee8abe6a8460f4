import { domainStoreConformance } from "@coppice/delivery/conformance";
import { systemTime } from "@coppice/kit";
import { describe, onTestFinished, test } from "vitest";
import { Database } from "../../src/database/database.ts";
import { Turns } from "../../src/database/turns.ts";
import { SqlStore } from "../../src/store/store.ts";

describe("store in the SQL database: conformance", () => {
  for (const { title, run } of domainStoreConformance) {
    test(title, () =>
      run(async () => {
        const database = new Database(":memory:");
        onTestFinished(() => database.close());
        return new SqlStore(database, new Turns(database, systemTime));
      }),
    );
  }
});
