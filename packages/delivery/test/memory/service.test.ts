import { describe, test } from "vitest";
import { createMemoryDelivery } from "@coppice/delivery";
import { deliveryConformance } from "@coppice/delivery/conformance";

describe("in-memory Delivery Service: conformance", () => {
  for (const { title, run } of deliveryConformance) {
    test(title, async () => {
      const delivery = createMemoryDelivery();
      await run((identity) => delivery.connect(identity));
    });
  }
});
