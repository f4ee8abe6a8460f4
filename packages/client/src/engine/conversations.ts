/** The conversations of an engine: those that the store has, as they appear and disappear in any context. */
import { isCoppiceError, mapLimit } from "@coppice/kit";
import type { Shared } from "../conversation/context.ts";
import { EngineConversation, isForgotten } from "../conversation/conversation.ts";
import { damagedConversation } from "../conversation/damaged.ts";
import { damagedError, readSummary, type Stored } from "../conversation/stored.ts";
import { CONVERSATION } from "../records/conversation.ts";

export interface ConversationsOptions {
  readonly shared: Shared;
  readonly onAppeared: (conversation: EngineConversation) => void;
  readonly onGone: (conversation: EngineConversation) => void;
  /** Told of failures, with the conversation that they are about. */
  readonly report: (error: unknown, id: string) => void;
}

/** Conversations that are read at once. */
const AT_ONCE = 16;

/** Milliseconds that closing waits for the store. */
const CLOSE_PATIENCE = 1000;

/** Conversations whose group stays in memory; the others read it again when they need it. */
const MAX_LOADED = 64;

export class Conversations {
  readonly #options: ConversationsOptions;
  readonly #byId = new Map<string, EngineConversation>();
  /** Those whose group is in memory, the one that was used last at the end. */
  readonly #loaded = new Set<EngineConversation>();

  constructor(options: ConversationsOptions) {
    this.#options = options;
  }

  get all(): Iterable<EngineConversation> {
    return this.#byId.values();
  }

  get(id: string): EngineConversation | undefined {
    return this.#byId.get(id);
  }

  /** Reads the list: one small record of each. */
  async load(partitions: readonly string[]): Promise<void> {
    const ids = partitions.flatMap((name) => idOf(name) ?? []).sort();
    const stored = await mapLimit(ids, AT_ONCE, (id) => this.#read(id));
    for (const [i, id] of ids.entries()) this.#add(id, stored[i]);
  }

  /** Takes a stored conversation up; the one that is there already, if it is. */
  async open(id: string): Promise<EngineConversation | undefined> {
    return this.#add(id, await this.#read(id));
  }

  /** Stores up to where messages were handed over. Another context may be frozen: what is not stored is handed over again. */
  async settleHandOvers(): Promise<void> {
    const { time, scope } = this.#options.shared;
    const stored = [...this.#byId.values()].map((conversation) => conversation.settleHandOver());
    const patience = new AbortController();
    const timeout = scope.sleep(time, CLOSE_PATIENCE, patience.signal).catch(() => undefined);
    await Promise.race([Promise.allSettled(stored), timeout]);
    patience.abort();
  }

  /** What is stored of a conversation; undefined if it is none. */
  async #read(id: string): Promise<Stored | undefined> {
    const { shared, report } = this.#options;
    try {
      return await readSummary(shared.account.store, id);
    } catch (error) {
      if (!isCoppiceError(error, "ERR_STORE_CORRUPT")) throw error;
      report(damagedError(error), id);
      return damagedConversation();
    }
  }

  #add(id: string, stored: Stored | undefined): EngineConversation | undefined {
    const known = this.#byId.get(id);
    if (known !== undefined || stored === undefined) return known;
    const { shared, onAppeared, onGone, report } = this.#options;
    const conversation = new EngineConversation(
      {
        ...{ id, shared },
        report: (error) => {
          // Work may have been going on when its conversation was deleted.
          if (!isForgotten(error)) report(error, id);
        },
        onGone: () => {
          if (this.#byId.get(id) !== conversation) return;
          this.#byId.delete(id);
          this.#loaded.delete(conversation);
          onGone(conversation);
        },
        onLoaded: () => {
          this.#noteLoaded(conversation);
        },
      },
      stored,
    );
    this.#byId.set(id, conversation);
    onAppeared(conversation);
    return conversation;
  }

  #noteLoaded(conversation: EngineConversation): void {
    this.#loaded.delete(conversation);
    this.#loaded.add(conversation);
    for (const oldest of this.#loaded) {
      if (this.#loaded.size <= MAX_LOADED) return;
      this.#loaded.delete(oldest);
      oldest.unload();
    }
  }
}

/** The conversation that a partition is of; undefined for another one. */
export const idOf = (partition: string): string | undefined =>
  partition.startsWith(CONVERSATION) ? partition.slice(CONVERSATION.length) : undefined;
