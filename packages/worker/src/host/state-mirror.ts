/** What the page knows of the engine's state, to send only what changed. */
import type { Client, Member, Unsubscribe } from "@coppice/client";
import type { StateChange } from "../protocol.ts";
import { packSnapshot } from "../wire/snapshot.ts";

export class StateMirror {
  readonly #client: Client;
  readonly #onChange: () => void;
  readonly #watched = new Map<string, Unsubscribe>();
  /** Members as the page has them, by conversation. */
  readonly #members = new Map<string, readonly Member[]>();
  readonly #changed = new Set<string>();
  #list: Client["conversations"] | undefined;
  #online: boolean | undefined;

  constructor(client: Client, onChange: () => void) {
    this.#client = client;
    this.#onChange = onChange;
    for (const { id } of client.conversations) this.watch(id);
  }

  /** Follows a conversation's snapshots. */
  watch(id: string): void {
    const conversation = this.#client.conversation(id);
    if (conversation === undefined || this.#watched.has(id)) return;
    this.#changed.add(id);
    this.#watched.set(
      id,
      conversation.on("change", () => {
        this.#changed.add(id);
        this.#onChange();
      }),
    );
  }

  release(): void {
    for (const release of this.#watched.values()) release();
    this.#watched.clear();
  }

  /** What the page does not know yet; undefined if nothing changed since the last call. */
  take(): StateChange | undefined {
    const { online, conversations } = this.#client;
    const listed = conversations === this.#list ? undefined : conversations.map(({ id }) => id);
    if (listed !== undefined) this.#follow(new Set(listed));
    if (listed === undefined && this.#changed.size === 0 && online === this.#online) return undefined;
    this.#list = conversations;
    this.#online = online;
    const snapshots = [...this.#changed].flatMap((id) => {
      const conversation = this.#client.conversation(id);
      if (conversation === undefined) return [];
      const wire = packSnapshot(conversation.snapshot, this.#members.get(id));
      this.#members.set(id, conversation.snapshot.members);
      return [wire];
    });
    this.#changed.clear();
    return { online, conversations: listed, snapshots };
  }

  /** A state that changes nothing. */
  unchanged(): StateChange {
    return { online: this.#client.online, conversations: undefined, snapshots: [] };
  }

  #follow(listed: ReadonlySet<string>): void {
    for (const id of listed) this.watch(id);
    for (const [id, release] of this.#watched) {
      if (listed.has(id)) continue;
      release();
      this.#watched.delete(id);
      this.#members.delete(id);
      this.#changed.delete(id);
    }
  }
}
