/** The worker's side of one connection: a page's calls on one engine, and what the engine has to tell. */
import type { CallOptions, Client, Conversation, ConversationEvents, Unsubscribe } from "@coppice/client";
import { CoppiceError } from "@coppice/core/errors";
import { expose, transfer, wrap } from "comlink";
import type { Channel } from "../channel.ts";
import { holdLock, watchLock } from "../liveness.ts";
import {
  type Hostile,
  ITEM_EVENTS,
  type ItemEvent,
  MAX_BYTES,
  MAX_LIST,
  MAX_TEXT,
  type OpenRequest,
  PROTOCOL_VERSION,
  type PageFacade,
  pageLock,
  type Remote,
  type WireEvent,
  type WorkerFacade,
  workerLock,
} from "../protocol.ts";
import { packItem } from "../wire/history-item.ts";
import { parseOpenRequest } from "../wire/open-request.ts";
import { packBytes } from "../wire/pack.ts";
import { bytes, count, finite, flag, list, oneOf, optional, record, text } from "../wire/primitives.ts";
import { Backlog } from "./backlog.ts";
import { MessageTap } from "./message-tap.ts";
import { StateMirror } from "./state-mirror.ts";

/** Makes the engine that a session serves. The signal ends the attempt. */
export type OpenEngine = (request: OpenRequest & CallOptions) => Promise<Client>;

/** Calls that may run at once; a page that sends more is at fault. */
const MAX_CALLS = 4096;

export class Session {
  readonly #page: Remote<PageFacade>;
  readonly #openEngine: OpenEngine;
  readonly #onEnd: () => void;
  readonly #ended = new AbortController();
  /** After the engine has closed: until then the page must not take this worker for dead and terminate it. */
  readonly #gone = new AbortController();
  readonly #calls = new Map<number, AbortController>();
  /** What the page listens to, by event and conversation. */
  readonly #listening = new Map<string, Unsubscribe>();
  readonly #taps = new Set<MessageTap>();
  readonly #backlog: Backlog;
  #engine: { readonly client: Client; readonly state: StateMirror; readonly release: Unsubscribe } | undefined;
  #opening = false;
  #delivering = false;

  constructor(channel: Channel, openEngine: OpenEngine, onEnd: () => void) {
    this.#openEngine = openEngine;
    this.#onEnd = onEnd;
    this.#backlog = new Backlog((conversation, query) => this.#conversation(conversation).history(query));
    this.#page = wrap<PageFacade>(channel.replies);
    expose(this.#facade(), channel.requests);
  }

  /** Ends the connection and closes its engine; the page is gone or has asked for it. Never rejects. */
  async end(): Promise<void> {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort(new CoppiceError("ERR_CLIENT_CLOSED", "This client was closed"));
    for (const call of this.#calls.values()) call.abort(this.#ended.signal.reason);
    for (const release of this.#listening.values()) release();
    this.#listening.clear();
    const engine = this.#engine;
    this.#engine = undefined;
    engine?.release();
    try {
      await engine?.client.close();
    } catch {
      // Nobody is left who could do something about it.
    }
    this.#gone.abort();
    this.#onEnd();
  }

  #facade(): Hostile<WorkerFacade> {
    const on = (id: unknown): Conversation => this.#conversation(text(id, MAX_TEXT));
    return Object.freeze<Hostile<WorkerFacade>>({
      greet: async (greeting) => {
        const { connection: given, locked: pageLocked } = record(greeting);
        const connection = text(given, 64);
        const locked = await holdLock(workerLock(connection), this.#gone.signal);
        if (flag(pageLocked)) watchLock(pageLock(connection), this.#ended.signal, () => void this.end());
        return { version: PROTOCOL_VERSION, locked };
      },
      open: (call, request) => this.#run(call, (signal) => this.#open(parseOpenRequest(request), signal)),
      createGroup: (call, title) =>
        this.#run(call, async (signal) => {
          const name = optional(title, short);
          const { id } = await this.#client().createGroup({ signal, ...(name === undefined ? {} : { title: name }) });
          return id;
        }),
      sync: (call) => this.#run(call, (signal) => this.#client().sync({ signal })),
      history: (call, id, query) =>
        this.#run(call, async (signal) => {
          const { before, limit } = record(query);
          const range = { before: optional(before, finite), limit: optional(limit, finite) };
          const items = await on(id).history(
            {
              ...(range.before === undefined ? {} : { before: range.before }),
              ...(range.limit === undefined ? {} : { limit: range.limit }),
            },
            { signal },
          );
          const buffers: Transferable[] = [];
          return transfer(
            items.map((item) => packItem(item, buffers)),
            buffers,
          );
        }),
      add: (call, id, names) => this.#run(call, (signal) => on(id).add(list(names, MAX_LIST, short), { signal })),
      remove: (call, id, names) => this.#run(call, (signal) => on(id).remove(list(names, MAX_LIST, short), { signal })),
      leave: (call, id) => this.#run(call, (signal) => on(id).leave({ signal })),
      rename: (call, id, title) => this.#run(call, (signal) => on(id).rename(short(title), { signal })),
      update: (call, id) => this.#run(call, (signal) => on(id).update({ signal })),
      send: (call, id, data) =>
        this.#run(call, async (signal) => {
          const content = typeof data === "string" ? short(data) : bytes(data, MAX_BYTES);
          const buffers: Transferable[] = [];
          return transfer(packItem(await on(id).send(content, { signal }), buffers), buffers);
        }),
      resend: (call, id, seq) => this.#run(call, (signal) => on(id).resend(count(seq), { signal })),
      discard: (call, id, seq) => this.#run(call, (signal) => on(id).discard(count(seq), { signal })),
      exportSecret: (call, id, label, context, length) =>
        this.#run(call, async () => {
          const secret = await on(id).exportSecret(short(label), bytes(context, MAX_BYTES), finite(length));
          const buffers: Transferable[] = [];
          return transfer(packBytes(secret, buffers), buffers);
        }),
      forget: (call, id) => this.#run(call, (signal) => on(id).forget({ signal })),
      abort: (call) => {
        this.#calls.get(count(call))?.abort();
        return Promise.resolve();
      },
      listen: async (id, event) => {
        this.#listen(text(id, MAX_TEXT), oneOf(event, ITEM_EVENTS));
        return Promise.resolve();
      },
      unlisten: async (id, event) => {
        this.#unlisten(text(id, MAX_TEXT), oneOf(event, ITEM_EVENTS));
        return Promise.resolve();
      },
      close: () => this.end(),
    });
  }

  /** Runs a call under its number. What it changed is posted before its result. */
  async #run<T>(call: unknown, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const number = count(call);
    this.#ended.signal.throwIfAborted();
    if (this.#calls.has(number) || this.#calls.size >= MAX_CALLS) throw new TypeError("too many calls at once");
    const controller = new AbortController();
    this.#calls.set(number, controller);
    try {
      return await task(controller.signal);
    } finally {
      this.#calls.delete(number);
      this.#postState();
    }
  }

  async #open(request: OpenRequest, signal: AbortSignal): Promise<string> {
    if (this.#opening) throw new TypeError("this connection has an engine already");
    this.#opening = true;
    const client = await this.#openEngine({ ...request, signal });
    if (signal.aborted) {
      await client.close();
      signal.throwIfAborted();
    }
    const state = new StateMirror(client, () => {
      this.#pump();
    });
    const releases = [
      client.on("conversation", (value) => {
        state.watch(value.id);
        this.#push({ type: "conversation", value });
      }),
      client.on("problem", (value) => {
        this.#push({ type: "problem", value });
      }),
      client.on("connection", () => {
        this.#pump();
      }),
    ];
    this.#engine = {
      client,
      state,
      release: () => {
        for (const release of releases) release();
        state.release();
      },
    };
    return client.name;
  }

  #client(): Client {
    if (this.#engine === undefined) throw new TypeError("this connection has no engine");
    return this.#engine.client;
  }

  #conversation(id: string): Conversation {
    const conversation = this.#client().conversation(id);
    if (conversation === undefined) {
      throw new CoppiceError("ERR_CLIENT_UNKNOWN_CONVERSATION", "There is no such conversation on this device");
    }
    return conversation;
  }

  #listen(id: string, event: ItemEvent): void {
    const key = `${event} ${id}`;
    if (!this.#listening.has(key)) this.#listening.set(key, this.#subscribe(this.#conversation(id), event));
  }

  #subscribe(conversation: Conversation, event: ItemEvent): Unsubscribe {
    const { id } = conversation;
    switch (event) {
      case "message": {
        const take = (value: ConversationEvents["message"]): void => {
          this.#push({ type: "message", conversation: id, value });
        };
        const tap = new MessageTap(conversation, take, () => this.#backlog.isFull);
        this.#taps.add(tap);
        return () => {
          tap.close();
          this.#taps.delete(tap);
        };
      }
      case "item":
        return conversation.on("item", (value) => {
          this.#push({ type: "item", conversation: id, value });
        });
      case "discarded":
        return conversation.on("discarded", (value) => {
          this.#push({ type: "discarded", conversation: id, value });
        });
    }
  }

  #unlisten(id: string, event: ItemEvent): void {
    const key = `${event} ${id}`;
    this.#listening.get(key)?.();
    this.#listening.delete(key);
    if (event !== "message") this.#backlog.forget(id, event);
  }

  #push(event: WireEvent): void {
    this.#backlog.push(event);
    this.#pump();
  }

  /** Delivers what waits, one batch at a time: while the page is busy, newer things take the place of older ones. */
  #pump(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    this.#deliverAll()
      .catch(() => this.end()) // the port is gone, or the page cannot be trusted
      .finally(() => {
        this.#delivering = false;
      });
  }

  async #deliverAll(): Promise<void> {
    await Promise.resolve(); // what the engine tells in one go is one batch
    while (!this.#ended.signal.aborted) {
      const events = await this.#backlog.take();
      const state = this.#engine?.state.take();
      if (events.length === 0 && state === undefined) {
        if (this.#backlog.isEmpty) return;
        continue;
      }
      const current = state ?? this.#engine?.state.unchanged();
      if (current === undefined) return;
      const buffers: Transferable[] = [];
      const batch = { state: current, events: events.map((event) => packEvent(event, buffers)) };
      await this.#page.deliver(transfer(batch, buffers));
      if (this.#backlog.isEmpty) for (const tap of this.#taps) tap.open();
    }
  }

  /** Posts the state without waiting for the page, so that it is there when the reply that follows is. */
  #postState(): void {
    const state = this.#engine?.state.take();
    if (state !== undefined) this.#page.deliver({ state, events: [] }).catch(() => this.end());
  }
}

const short = (value: unknown): string => text(value, MAX_TEXT);

function packEvent(event: WireEvent, buffers: Transferable[]): WireEvent {
  switch (event.type) {
    case "item":
      return { ...event, value: packItem(event.value, buffers) };
    case "message": {
      const value = packItem(event.value, buffers);
      return value.kind === "message" ? { ...event, value } : event;
    }
    default:
      return event;
  }
}
