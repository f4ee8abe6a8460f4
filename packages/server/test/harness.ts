/** Servers and clients for the tests. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  connectDelivery,
  type ClientId,
  type ConnectDeliveryOptions,
  type DeliveryService,
  type Identity,
} from "@coppice/delivery";
import { createIdentity, type TestIdentity } from "@coppice/delivery/conformance";
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

export const connect = (
  url: string,
  identity: Identity,
  options: Partial<ConnectDeliveryOptions> = {},
): Promise<DeliveryService> => connectDelivery({ url, identity, WebSocket: NodeWebSocket, timeout: 5000, ...options });

/** A device that has signed in. */
export interface TestClient {
  readonly name: string;
  readonly client: ClientId;
  readonly identity: TestIdentity;
  readonly service: DeliveryService;
}

/** A new user with one device; the service is closed after the test. */
export async function newUser(url: string, user?: string): Promise<TestClient> {
  const identity = await createIdentity(user === undefined ? {} : { user });
  const service = await connect(url, identity);
  onTestFinished(() => service.close());
  return { name: identity.client.user, client: identity.client, identity, service };
}

/** Bytes of a length. */
export const bytes = (length: number, fill = 7): Uint8Array<ArrayBuffer> => new Uint8Array(length).fill(fill);

/** A group as tests drive it, which remembers its epoch and the newest entry. */
export class TestGroup {
  readonly groupId: Uint8Array<ArrayBuffer>;
  readonly #service: DeliveryService;
  #incarnation = "";
  #epoch = 0n;

  constructor({ service }: TestClient, id = 1) {
    this.groupId = bytes(16, id);
    this.#service = service;
  }

  /** The group's id, made by its creator. */
  static async create(creator: TestClient, id = 1): Promise<TestGroup> {
    const group = new TestGroup(creator, id);
    const { incarnation } = await creator.service.createGroup({ groupId: group.groupId, groupInfo: bytes(9) });
    group.#incarnation = incarnation;
    return group;
  }

  get incarnation(): string {
    return this.#incarnation;
  }

  get epoch(): bigint {
    return this.#epoch;
  }

  after(seq: number): { readonly incarnation: string; readonly seq: number } {
    return { incarnation: this.#incarnation, seq };
  }

  /** Adds a client by the next Commit. */
  async add(client: ClientId, welcome: Uint8Array = bytes(5)): Promise<number> {
    return this.commit({ added: [{ client, welcome }] });
  }

  async commit({
    added = [],
    removed = [],
  }: {
    readonly added?: readonly { readonly client: ClientId; readonly welcome: Uint8Array }[];
    readonly removed?: readonly ClientId[];
  }): Promise<number> {
    const text = `${this.groupId.join()} ${this.#epoch} ${JSON.stringify([added, removed])}`;
    const outcome = await this.#service.submitCommit({
      groupId: this.groupId,
      position: this.after(0),
      epoch: this.#epoch,
      commit: new TextEncoder().encode(text),
      groupInfo: bytes(9),
      added,
      removed,
    });
    if (!outcome.accepted) throw new Error("Another Commit was first");
    this.#epoch += 1n;
    return outcome.seq;
  }

  /** Sends one message, as the creator or somebody else. */
  async send(
    message: Uint8Array,
    service: DeliveryService = this.#service,
    epoch: bigint = this.#epoch,
  ): Promise<number> {
    const { seqs } = await service.sendMessages({
      groupId: this.groupId,
      position: this.after(0),
      messages: [{ epoch, message }],
    });
    return seqs[0] ?? 0;
  }

  async seqs(after = 0, service: DeliveryService = this.#service, limit = 1024): Promise<readonly number[]> {
    const { entries } = await service.readLog({ groupId: this.groupId, after: this.after(after), limit });
    return entries.map(({ seq }) => seq);
  }
}
