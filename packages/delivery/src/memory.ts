/** A Delivery Service in memory, for tests: the server's semantics without a server, and faults on demand. */
import type { DeliveryEvent, DeliveryService, Identity } from "./contract.ts";
import { deliveryError } from "./errors.ts";
import { Listeners } from "./listeners.ts";
import { Directory, type User } from "./memory/directory.ts";
import { Groups } from "./memory/groups.ts";
import { MemoryNetwork } from "./memory/network.ts";
import { deliveryService, type CallAddress, type Transport } from "./service.ts";
import * as wire from "./wire/calls.ts";
import { decode, encode, type Bytes } from "./wire/codec.ts";
import { isValidName } from "./wire/names.ts";
import { signInMessage, verifySignIn } from "./wire/sign-in.ts";

export { MemoryNetwork, type CallName, type EventMode, type MemoryFault } from "./memory/network.ts";

/** A client of the in-memory service, with the switches of its own way to the server. */
export interface MemoryDeliveryService extends DeliveryService {
  readonly network: MemoryNetwork;
}

/** The in-memory service. */
export interface MemoryDelivery {
  /** Switches for all clients; a client's own apply in addition. */
  readonly network: MemoryNetwork;
  /** Signs in like `connectDelivery`, also while the service cannot be reached. `ERR_DS_NAME_TAKEN`, `ERR_DS_NAME_INVALID`, `ERR_DS_SIGN_IN`. */
  connect(identity: Identity): Promise<MemoryDeliveryService>;
}

type Handler = (user: User, request: Bytes) => Bytes;

const AUDIENCE = "memory:";

/**
 * Creates an empty in-memory Delivery Service. Requests and answers pass through the wire format, so limits and copying
 * are those of the real transport.
 */
export function createMemoryDelivery(): MemoryDelivery {
  return new InMemory();
}

class InMemory implements MemoryDelivery {
  readonly #directory = new Directory();
  readonly #clients = new Set<MemoryClient>();
  readonly #handlers = new Map<string, Handler>();
  readonly network: MemoryNetwork = new MemoryNetwork(() => {
    for (const client of this.#clients) client.refreshConnection();
  });

  constructor() {
    const directory = this.#directory;
    const groups = new Groups(directory, ({ groupId, seq, readers, invited }) => {
      for (const name of invited) this.#notify(name, { type: "inbox" });
      for (const name of new Set([...readers, ...invited])) {
        this.#notify(name, { type: "log", groupId: new Uint8Array(groupId), seq });
      }
    });
    this.#handle(wire.publishKeyPackages, (user, { keyPackages, lastResort }) => {
      const copy = (bytes: Uint8Array): Bytes => new Uint8Array(bytes);
      directory.publish(user, keyPackages.map(copy), lastResort === undefined ? undefined : copy(lastResort));
    });
    this.#handle(wire.countKeyPackages, (user) => ({ count: user.keyPackages.length }));
    this.#handle(wire.claimKeyPackages, (_user, { users }) => directory.claim(users));
    this.#handle(wire.createGroup, (user, { groupId }) => {
      groups.create(user.name, new Uint8Array(groupId));
    });
    this.#handle(wire.submitCommit, (user, submission) => ({ seq: groups.commit(user.name, submission) }));
    this.#handle(wire.sendMessage, (user, { groupId, epoch, message }) => ({
      seq: groups.send(user.name, groupId, epoch, message),
    }));
    this.#handle(wire.readLog, (user, { groupId, after, limit }) => groups.readLog(user.name, groupId, after, limit));
    this.#handle(wire.readInbox, (user) => groups.readInbox(user.name, wire.WIRE_LIMITS.inboxPage));
    this.#handle(wire.acknowledgeInbox, (user, { id }) => {
      groups.acknowledge(user.name, id);
    });
  }

  async connect(identity: Identity): Promise<MemoryDeliveryService> {
    if (!isValidName(identity.user)) throw deliveryError("ERR_DS_NAME_INVALID", "the name is not allowed");
    const client = new MemoryClient(this, identity);
    if (client.reachable) await client.signIn();
    this.#clients.add(client);
    return { ...deliveryService(client), network: client.network };
  }

  /** Checks the identity's signature, then the name. */
  async signIn(identity: Identity): Promise<User> {
    const { user, publicKey } = identity;
    const nonce = globalThis.crypto.getRandomValues(new Uint8Array(32));
    const statement = { audience: AUDIENCE, user, publicKey, nonce };
    if (!(await verifySignIn(statement, await identity.sign(signInMessage(statement))))) {
      throw deliveryError("ERR_DS_SIGN_IN", "the challenge was not answered correctly");
    }
    return this.#directory.signIn(user, publicKey);
  }

  /** Carries out an encoded request. */
  handle(user: User, call: string, request: Bytes): Bytes {
    const handler = this.#handlers.get(call);
    if (handler === undefined) throw new TypeError(`no such call: ${call}`);
    return handler(user, request);
  }

  leave(client: MemoryClient): void {
    this.#clients.delete(client);
  }

  #handle<Q, A>(call: wire.Call<Q, A>, handler: (user: User, request: Q) => A): void {
    this.#handlers.set(call.name, (user, request) => encode(call.answer, handler(user, decode(call.request, request))));
  }

  #notify(user: string, event: DeliveryEvent): void {
    for (const client of this.#clients) if (client.user === user) client.receive(event);
  }
}

class MemoryClient implements Transport {
  readonly network: MemoryNetwork;
  readonly user: string;
  readonly #server: InMemory;
  readonly #identity: Identity;
  readonly #listeners = new Listeners();
  #account: Promise<User> | undefined;

  constructor(server: InMemory, identity: Identity) {
    this.#server = server;
    this.#identity = identity;
    this.user = identity.user;
    this.network = new MemoryNetwork(() => {
      this.refreshConnection();
    });
  }

  get reachable(): boolean {
    return this.network.reachable && this.#server.network.reachable;
  }

  /** Signs in once; a failure is tried again by the next call. */
  signIn(): Promise<User> {
    this.#account ??= this.#server.signIn(this.#identity).catch((error: unknown) => {
      this.#account = undefined;
      throw error;
    });
    return this.#account;
  }

  async send({ name }: CallAddress, request: Bytes): Promise<Bytes> {
    await this.#travel(name, "request");
    const answer = this.#server.handle(await this.signIn(), name, request);
    await this.#travel(name, "reply");
    return answer;
  }

  subscribe(listener: (event: DeliveryEvent) => void): () => void {
    const release = this.#listeners.add(listener);
    // Never before `subscribe` has returned, as over a real network.
    queueMicrotask(() => {
      this.refreshConnection();
    });
    return release;
  }

  close(): void {
    this.#listeners.clear();
    this.#server.leave(this);
  }

  refreshConnection(): void {
    if (this.#listeners.size > 0) this.#listeners.setOnline(this.reachable);
  }

  receive(event: DeliveryEvent): void {
    const { network } = this;
    queueMicrotask(() => {
      if (!this.reachable) return;
      this.#server.network.pass(event, (passed) => {
        network.pass(passed, (arrived) => {
          this.#listeners.emit(arrived);
        });
      });
    });
  }

  async #travel(call: string, phase: "request" | "reply"): Promise<void> {
    for (const network of [this.network, this.#server.network]) {
      if (network.delay > 0) await new Promise((resolve) => setTimeout(resolve, network.delay));
      await network.fault?.({ user: this.user, call, phase });
      if (!network.reachable || (phase === "reply" && network.takeLostReply(call))) {
        throw deliveryError("ERR_DS_UNREACHABLE", "the Delivery Service cannot be reached");
      }
    }
  }
}
