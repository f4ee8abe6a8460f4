/** `npm run interop:server -- [--port N]`: the client behind gRPC, for the official runner. */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { InteropClient } from "./client.ts";

const { values } = parseArgs({ options: { port: { type: "string", default: "50051" } } });

const definition = loadSync(fileURLToPath(new URL("../mls_client.proto", import.meta.url)), {
  longs: String,
  defaults: true,
});
const { mls_client: loaded } = grpc.loadPackageDefinition(definition);
const service = (loaded as unknown as { MLSClient: grpc.ServiceClientConstructor }).MLSClient.service;

type Message = Readonly<Record<string, unknown>>;

/** Numbers of 64 bits and names of types as the client takes them. */
function fromWire(value: unknown, key = ""): unknown {
  if (key === "epochId") return BigInt(value as string);
  if (key === "proposalType") return new TextDecoder().decode(value as Uint8Array);
  if (Array.isArray(value)) return value.map((item) => fromWire(item));
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fromWire(item, name)]));
}

const client = new InteropClient();
const methods = client as unknown as Readonly<Record<string, (request: Message) => object | Promise<object>>>;

/** Method names as the client has them: the first letter is small. */
const nameOf = (rpc: string): string => rpc.charAt(0).toLowerCase() + rpc.slice(1);

async function answer(rpc: string, request: Message): Promise<object> {
  const method = methods[nameOf(rpc)];
  if (method === undefined) throw new TypeError(`There is no ${rpc}`);
  return method.call(client, fromWire(request) as Message);
}

const handlers = Object.keys(service).map((rpc): [string, grpc.handleUnaryCall<Message, object>] => [
  rpc,
  ({ request }, callback) => {
    answer(rpc, request).then(
      (response) => {
        callback(null, response);
      },
      (error: unknown) => {
        callback({ code: grpc.status.INTERNAL, details: `${rpc}: ${String(error)}` });
      },
    );
  },
]);

const server = new grpc.Server();
server.addService(service, Object.fromEntries(handlers));
server.bindAsync(`0.0.0.0:${values.port}`, grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  console.log(`Coppice answers on port ${String(port)}`);
});
