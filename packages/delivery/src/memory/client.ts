/** One client's connection to the in-memory service. */
import type { Time } from "@coppice/kit";
import type { ClientId, DeliveryEvent, Identity } from "../contract.ts";
import { clientKey } from "../domain/client-key.ts";
import { deliveryError } from "../errors.ts";
import { EventListeners } from "../event-listeners.ts";
import type { EventHub } from "../events/hub.ts";
import type { Transport } from "../service.ts";
import { decode, type Bytes } from "../wire/codec.ts";
import { serverFrame } from "../wire/events.ts";
import { MemoryNetwork, type CallName } from "./network.ts";

/** What a client needs of the server. */
export interface MemoryServer {
  readonly time: Time;
  readonly network: MemoryNetwork;
  readonly hub: EventHub;
  signIn(identity: Identity): Promise<void>;
  carryOut(client: ClientId, call: string, request: Bytes): Promise<Bytes>;
  leave(client: MemoryClient): void;
}

const unreachable = (): Error => deliveryError("ERR_DS_UNREACHABLE", "The Delivery Service cannot be reached");

export class MemoryClient implements Transport {
  readonly network: MemoryNetwork;
  readonly key: string;
  readonly #server: MemoryServer;
  readonly #identity: Identity;
  readonly #listeners = new EventListeners();
  #session: Promise<void> | undefined;
  /** Ends the subscription at the server; undefined while there is none. */
  #unsubscribe: (() => void) | undefined;

  constructor(server: MemoryServer, identity: Identity) {
    this.#server = server;
    this.#identity = identity;
    this.key = clientKey(identity.client);
    this.network = new MemoryNetwork(server.time, () => {
      this.refreshConnection();
    });
  }

  get #reachable(): boolean {
    return this.network.reachable && this.#server.network.reachable;
  }

  /** Signs in once; a failure is tried again by the next call. */
  async signIn(): Promise<void> {
    if (!this.#reachable) throw unreachable();
    this.#session ??= this.#server.signIn(this.#identity).catch((error: unknown) => {
      this.#session = undefined;
      throw error;
    });
    await this.#session;
  }

  async send({ name }: { readonly name: string }, request: Bytes, signal: AbortSignal): Promise<Bytes> {
    const call = name as CallName;
    await this.#travel(call, "request", signal);
    await this.signIn();
    const answer = await this.#server.carryOut(this.#identity.client, call, request);
    await this.#travel(call, "reply", signal);
    return answer;
  }

  subscribe(listener: (event: DeliveryEvent) => void): () => void {
    const release = this.#listeners.add(listener);
    // Never before `subscribe` has returned, as over a real network.
    queueMicrotask(() => {
      this.refreshConnection();
    });
    return () => {
      release();
      if (this.#listeners.size === 0) this.#hangUp();
    };
  }

  close(): void {
    this.#hangUp();
    this.#listeners.clear();
    this.#server.leave(this);
  }

  /** The server ended the session: the next call signs in again. */
  forgetSession(): void {
    this.#session = undefined;
  }

  /** The server ended session and connection, which comes up again if it may. */
  disconnect(): void {
    this.forgetSession();
    if (this.#listeners.size === 0) return;
    this.#hangUp();
    this.#listeners.offline();
    this.refreshConnection();
  }

  /** Brings the connection up or down, as the network is. */
  refreshConnection(): void {
    if (this.#listeners.size === 0) return;
    if (!this.#reachable) {
      this.#hangUp();
      this.#listeners.offline();
    } else if (this.#unsubscribe === undefined) {
      void this.#connect();
    }
  }

  async #connect(): Promise<void> {
    const connection: { isWanted: boolean; release: () => void } = { isWanted: true, release: () => undefined };
    this.#unsubscribe = () => {
      connection.isWanted = false;
      connection.release();
    };
    try {
      await this.signIn();
    } catch {
      // The next change of the network, or the next call, tries again.
      if (connection.isWanted) this.#hangUp();
      this.#listeners.offline();
      return;
    }
    if (!connection.isWanted) return;
    connection.release = this.#server.hub.subscribe(this.#identity.client, {
      send: (frame) => {
        this.#receive(frame);
      },
      end: () => {
        this.disconnect();
      },
    });
    this.#listeners.online("websocket");
  }

  #hangUp(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  #receive(bytes: Bytes): void {
    const frame = decode(serverFrame, bytes);
    if (frame.type === "ready" || frame.type === "ping") return;
    queueMicrotask(() => {
      if (!this.#reachable) return;
      this.#server.network.pass(frame, (passed) => {
        this.network.pass(passed, (arrived) => {
          this.#listeners.emit(arrived);
        });
      });
    });
  }

  async #travel(call: CallName, phase: "request" | "reply", signal: AbortSignal): Promise<void> {
    for (const network of [this.network, this.#server.network]) {
      await network.travel(call, phase, signal);
      await network.fault?.({ client: this.#identity.client, call, phase });
      if (!network.reachable || (phase === "reply" && network.takeLostReply(call))) throw unreachable();
    }
  }
}
