import { describe, test } from "vitest";
import { domainStoreConformance } from "@coppice/delivery/conformance";
import { MemoryDomainStore } from "@coppice/delivery/domain";

describe("in-memory store: conformance", () => {
  for (const { title, run } of domainStoreConformance) {
    test(title, () => run(() => Promise.resolve(new MemoryDomainStore())));
  }
});
