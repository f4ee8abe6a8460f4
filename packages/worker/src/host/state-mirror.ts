/** What the page knows of the engine's state, to send only what changed. */
import type { Client, Conversation, Unsubscribe } from "@coppice/client";
import type { StateChange } from "../protocol.ts";

export class StateMirror {
  readonly #client: Client;
  readonly #onChange: () => void;
  readonly #watched = new Map<string, { readonly conversation: Conversation; readonly release: Unsubscribe }>();
  /** Conversations whose snapshot the page does not have. */
  readonly #changed = new Set<string>();
  #list: Client["conversations"] | undefined;
  #online: boolean | undefined;

  constructor(client: Client, onChange: () => void) {
    this.#client = client;
    this.#onChange = onChange;
    for (const { id } of client.conversations) this.watch(id);
  }

  /** Whether there is something that the page does not know. */
  get hasChanged(): boolean {
    const { conversations, online } = this.#client;
    return this.#changed.size > 0 || conversations !== this.#list || online !== this.#online;
  }

  /** Follows a conversation's snapshots; one that was deleted and came again is another. */
  watch(id: string): void {
    const conversation = this.#client.conversation(id);
    const known = this.#watched.get(id);
    if (conversation === undefined || conversation === known?.conversation) return;
    known?.release();
    this.#changed.add(id);
    const release = conversation.on("change", () => {
      this.#changed.add(id);
      this.#onChange();
    });
    this.#watched.set(id, { conversation, release });
  }

  release(): void {
    for (const { release } of this.#watched.values()) release();
    this.#watched.clear();
  }

  /** What the page does not know yet; undefined if nothing changed since the last call. */
  take(): StateChange | undefined {
    if (!this.hasChanged) return undefined;
    const { online, conversations } = this.#client;
    const listed = conversations === this.#list ? undefined : conversations.map(({ id }) => id);
    if (listed !== undefined) this.#follow(new Set(listed));
    this.#list = conversations;
    this.#online = online;
    const snapshots = [...this.#changed].flatMap((id) => this.#client.conversation(id)?.snapshot ?? []);
    this.#changed.clear();
    return { online, conversations: listed, snapshots };
  }

  #follow(listed: ReadonlySet<string>): void {
    for (const id of listed) this.watch(id);
    for (const [id, { release }] of this.#watched) {
      if (listed.has(id)) continue;
      release();
      this.#watched.delete(id);
      this.#changed.delete(id);
    }
  }
}
