/** The client over HTTP keeps the contract, with a WebSocket and without one. */
import { describe, test } from "vitest";
import { connectDelivery } from "@coppice/delivery";
import { deliveryConformance } from "@coppice/delivery/conformance";
import { openHost } from "./host.ts";

const url = "https://ds.example";

describe("over HTTP and WebSocket: conformance", async () => {
  const { fetch, WebSocket } = await openHost();
  for (const { title, run } of deliveryConformance) {
    test(title, () => run((identity) => connectDelivery({ url, identity, fetch, WebSocket })));
  }
});

describe("over HTTP and long polling: conformance", async () => {
  const { fetch } = await openHost();
  const blocked = class {
    constructor() {
      throw new DOMException("Refused by the Content Security Policy", "SecurityError");
    }
  } as unknown as new () => WebSocket;
  for (const { title, run } of deliveryConformance) {
    test(title, () => run((identity) => connectDelivery({ url, identity, fetch, WebSocket: blocked })));
  }
});
