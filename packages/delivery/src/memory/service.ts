/** A Delivery Service in memory, for tests: the rules of delivery without a server, and faults on demand. */
import { randomBytes } from "@coppice/core";
import { isCoppiceError, systemTime, type Time } from "@coppice/kit";
import type { ClientId, DeliveryService, Identity } from "../contract.ts";
import { clientKey } from "../domain/client-key.ts";
import { DeliveryDomain } from "../domain/domain.ts";
import { hostCalls, type HostCall } from "../domain/host-calls.ts";
import type { DomainLimits } from "../domain/limits.ts";
import { deliveryError } from "../errors.ts";
import { EventHub } from "../events/hub.ts";
import { deliveryService } from "../service.ts";
import { requireNormalName } from "../require-name.ts";
import { signInMessage, verifySignIn } from "../wire/sign-in.ts";
import type { Bytes } from "../wire/codec.ts";
import { MemoryClient, type MemoryServer } from "./client.ts";
import { MemoryNetwork } from "./network.ts";
import { MemoryDomainStore, type MemorySnapshot } from "./store.ts";

/** A client of the in-memory service, with the switches of its own way to the server. */
export interface MemoryDeliveryService extends DeliveryService {
  readonly network: MemoryNetwork;
}

/** Options of `createMemoryDelivery`. */
export interface MemoryDeliveryOptions {
  /** The server's clock, and what delays take. Default: the platform's. */
  readonly time?: Time;
  readonly limits?: Partial<DomainLimits>;
}

/** The in-memory service. */
export interface MemoryDelivery {
  /** Switches for all clients; a client's own apply in addition. */
  readonly network: MemoryNetwork;
  /** Signs in like `connectDelivery`, also while the service cannot be reached. */
  connect(identity: Identity): Promise<MemoryDeliveryService>;
  /** All that the server holds now. */
  snapshot(): Promise<MemorySnapshot>;
  /**
   * Puts the server back to an earlier state, as after a restore from a backup: its logs get new incarnations, and clients
   * have to connect again. With `silently`, the incarnations stay: a server that lies, or an operator who copied a file.
   */
  restore(snapshot: MemorySnapshot, options?: { readonly silently?: boolean }): Promise<void>;
  /** Deletes all that is due by the limits' retention. */
  forget(): Promise<void>;
}

const AUDIENCE = "memory:";

/**
 * Creates an empty in-memory Delivery Service. Requests, answers and events pass through the wire format, so limits and
 * copying are those of the real transport.
 *
 * @example
 * ```ts
 * const server = createMemoryDelivery();
 * const alice = await server.connect(identity);
 * alice.network.reachable = false; // calls reject with ERR_DS_UNREACHABLE
 * ```
 */
export function createMemoryDelivery({ time = systemTime, limits = {} }: MemoryDeliveryOptions = {}): MemoryDelivery {
  return new InMemory(time, limits);
}

class InMemory implements MemoryDelivery, MemoryServer {
  readonly time: Time;
  readonly network: MemoryNetwork;
  readonly hub: EventHub = new EventHub({ perClient: 1024 });
  readonly #limits: Partial<DomainLimits>;
  readonly #store = new MemoryDomainStore();
  readonly #clients = new Set<MemoryClient>();
  #opened: Promise<{ readonly domain: DeliveryDomain; readonly calls: ReadonlyMap<string, HostCall> }> | undefined;

  constructor(time: Time, limits: Partial<DomainLimits>) {
    this.time = time;
    this.#limits = limits;
    this.network = new MemoryNetwork(time, () => {
      for (const client of this.#clients) client.refreshConnection();
    });
  }

  async connect(identity: Identity): Promise<MemoryDeliveryService> {
    requireNormalName(identity.client.user);
    const client = new MemoryClient(this, identity);
    try {
      await client.signIn();
    } catch (error) {
      if (!isCoppiceError(error, "ERR_DS_UNREACHABLE")) throw error;
    }
    this.#clients.add(client);
    return { ...deliveryService(client), network: client.network };
  }

  /** Checks the identity's signature, then the directory. */
  async signIn(identity: Identity): Promise<void> {
    const { client, suite, publicKey, register } = identity;
    const statement = { audience: AUDIENCE, client, suite, publicKey, nonce: randomBytes(32) };
    if (!(await verifySignIn(statement, await identity.sign(signInMessage(statement))))) {
      throw deliveryError("ERR_DS_SIGN_IN", "The challenge was not answered correctly");
    }
    const { domain } = await this.#open();
    await domain.signIn({ client, key: { suite, publicKey: new Uint8Array(publicKey) }, register });
  }

  async carryOut(client: ClientId, call: string, request: Bytes): Promise<Bytes> {
    const { calls } = await this.#open();
    const found = calls.get(call);
    if (found === undefined) throw deliveryError("ERR_DS_BAD_REQUEST", "There is no such call");
    return found.run(client, request);
  }

  leave(client: MemoryClient): void {
    this.#clients.delete(client);
  }

  snapshot(): Promise<MemorySnapshot> {
    return this.#store.snapshot();
  }

  async restore(snapshot: MemorySnapshot, { silently = false }: { readonly silently?: boolean } = {}): Promise<void> {
    await this.#store.restore(snapshot);
    this.#opened = undefined;
    this.hub.reset();
    if (!silently) await (await this.#open()).domain.renew();
    for (const client of this.#clients) client.disconnect();
  }

  async forget(): Promise<void> {
    const { domain } = await this.#open();
    while (await domain.forget());
  }

  #open(): Promise<{ readonly domain: DeliveryDomain; readonly calls: ReadonlyMap<string, HostCall> }> {
    this.#opened ??= this.#start();
    return this.#opened;
  }

  async #start(): Promise<{ readonly domain: DeliveryDomain; readonly calls: ReadonlyMap<string, HostCall> }> {
    const domain = await DeliveryDomain.open({
      store: this.#store,
      time: this.time,
      limits: this.#limits,
      notify: (notice) => {
        if (notice.type === "revoked") {
          for (const client of this.#clients) if (client.key === clientKey(notice.client)) client.forgetSession();
        }
        this.hub.publish(notice);
      },
    });
    return { domain, calls: new Map(hostCalls(domain).map((call) => [call.name, call])) };
  }
}
