import { deliveryConformance } from "@coppice/delivery/conformance";
import { createServer, type CoppiceServer, type ServerOptions } from "@coppice/server";
import { afterAll, beforeAll, describe, test } from "vitest";
import { connect, NodeWebSocket } from "./harness.ts";

/** Many users come from one address here. */
const unlimited = { burst: 1e9, perSecond: 1e9 };
const limits: NonNullable<ServerOptions["limits"]> = {
  requestsPerAddress: unlimited,
  signInsPerAddress: unlimited,
  registrationsPerAddress: unlimited,
};

/** Node 20 has no WebSocket of its own, where events come by long polling. */
const noWebSocket = Object.defineProperty({}, "WebSocket", { value: undefined, enumerable: true });

for (const [transport, options] of [
  ["WebSocket", { WebSocket: NodeWebSocket }],
  ["long polling", noWebSocket],
] as const) {
  describe(`Delivery Service over HTTP and ${transport}: conformance`, () => {
    let server: CoppiceServer;
    const internalErrors: unknown[] = [];
    beforeAll(async () => {
      const onError = (error: unknown) => internalErrors.push(error);
      server = await createServer({ port: 0, database: ":memory:", limits, onError });
    });
    afterAll(async () => {
      await server.close();
      if (internalErrors.length > 0) throw new AggregateError(internalErrors, "the server failed");
    });

    for (const { title, run } of deliveryConformance) {
      test(title, { timeout: 20_000 }, () => run((identity) => connect(server.url, identity, options)));
    }
  });
}
