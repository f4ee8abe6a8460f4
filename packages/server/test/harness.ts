/** Servers and clients for the tests. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectDelivery, type ConnectDeliveryOptions, type DeliveryService, type Identity } from "@coppice/delivery";
import { createIdentity } from "@coppice/delivery/conformance";
import { createServer, type CoppiceServer, type ServerOptions } from "@coppice/server";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";

/** The WebSocket of the `ws` package behaves like that of browsers. */
export const NodeWebSocket = WebSocket as unknown as NonNullable<ConnectDeliveryOptions["WebSocket"]>;

export async function startServer(options: Partial<ServerOptions> = {}): Promise<CoppiceServer> {
  const server = await createServer({ port: 0, database: ":memory:", ...options });
  onTestFinished(() => server.close());
  return server;
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "coppice-server-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export const connect = (url: string, identity: Identity, timeout = 5000): Promise<DeliveryService> =>
  connectDelivery({ url, identity, WebSocket: NodeWebSocket, timeout });

/** A new signed-in user; the service is closed after the test. */
export async function newUser(
  url: string,
  name?: string,
): Promise<{ readonly name: string; readonly service: DeliveryService; readonly identity: Identity }> {
  const identity = await createIdentity(name);
  const service = await connect(url, identity);
  onTestFinished(() => service.close());
  return { name: identity.user, service, identity };
}
