import { afterAll, beforeAll, describe, test } from "vitest";
import { deliveryConformance } from "@coppice/delivery/conformance";
import { createServer, type CoppiceServer } from "@coppice/server";
import { connect } from "./harness.ts";

describe("Delivery Service over HTTP: conformance", () => {
  let server: CoppiceServer;
  const internalErrors: unknown[] = [];
  beforeAll(async () => {
    server = await createServer({ port: 0, database: ":memory:", onError: (error) => internalErrors.push(error) });
  });
  afterAll(async () => {
    await server.close();
    if (internalErrors.length > 0) throw new AggregateError(internalErrors, "the server failed");
  });

  for (const { title, run } of deliveryConformance) {
    test(title, () => run((identity) => connect(server.url, identity)));
  }
});
