import { describe, test } from "vitest";
import { domainStoreConformance } from "../../src/conformance/store/index.ts";
import { MemoryDomainStore } from "@coppice/delivery/domain";

describe("in-memory store: conformance", () => {
  for (const { title, run } of domainStoreConformance) {
    test(title, () => run(() => Promise.resolve(new MemoryDomainStore())));
  }
});
