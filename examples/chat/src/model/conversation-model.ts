/** One conversation as the screens need it: its history window, what is unread, drafts, and operations under way. */
import type { Conversation, ConversationSnapshot, HistoryItem, Unsubscribe } from "coppice";
import { errorInWords } from "../errors-in-words.ts";
import type { ConversationMemory, MemoryStore } from "../preferences.ts";
import { HistoryWindow } from "./history-window.ts";
import { MembersModel } from "./members-model.ts";
import { Observable } from "./observable.ts";

/** Items read at a time. */
const pageSize = 60;
/** The window is cut back to this many items while its newest end is being watched. */
const keptItems = 300;
/** Most items that are looked at to count what is unread. */
export const countedItems = 100;

type Operation = NonNullable<ConversationSnapshot["pending"]>["operation"];

/** A change to the group that this tab asked for. */
interface Intent {
  readonly operation: Operation;
  readonly names: readonly string[] | undefined;
}

export class ConversationModel extends Observable {
  readonly conversation: Conversation;
  /** Kept in memory only: the store on this device is encrypted, and nothing else here is. */
  draft = "";
  /** Whether the newest items are on the screen; long windows are cut back only then. */
  followsNewest = true;
  /** The first item that was new when the conversation was opened. */
  unreadFrom: number | undefined;
  /** People and safety number, read while somebody looks at them. */
  readonly members: MembersModel;

  readonly #window = new HistoryWindow();
  readonly #memoryStore: MemoryStore;
  readonly #releases: readonly Unsubscribe[];
  readonly #intents: Intent[] = [];
  readonly #failures = new Map<Operation, string>();
  #memory: ConversationMemory;
  #loading: Promise<void> | undefined;
  #disposed = false;

  constructor(conversation: Conversation, memoryStore: MemoryStore) {
    super();
    this.conversation = conversation;
    this.#memoryStore = memoryStore;
    this.#memory = memoryStore.get(conversation.id);
    this.members = new MembersModel(conversation, () => {
      this.changed();
    });
    this.#releases = [
      conversation.on("item", (item) => {
        this.#onItem(item);
      }),
      conversation.on("discarded", ({ seq }) => {
        this.#window.discard(seq);
        this.changed();
      }),
      conversation.on("change", () => {
        this.members.refresh();
        this.changed();
      }),
    ];
  }

  get id(): string {
    return this.conversation.id;
  }

  get snapshot(): ConversationSnapshot {
    return this.conversation.snapshot;
  }

  get items(): readonly HistoryItem[] {
    return this.#window.items;
  }

  get hasOlder(): boolean {
    return this.#window.hasOlder;
  }

  get isLoading(): boolean {
    return this.#loading !== undefined;
  }

  get latest(): HistoryItem | undefined {
    return this.#window.items.at(-1);
  }

  /** Messages of others that the person has not seen; not counted beyond the window. */
  get unread(): number {
    return this.#window.items.filter((item) => this.#isUnread(item)).length;
  }

  /** Whether this device joined by an invitation that the person has not noticed yet. */
  get isNewInvitation(): boolean {
    return this.snapshot.invitedBy !== undefined && !this.#memory.noticed;
  }

  /** Whether leaving was asked for on this device. */
  get hasLeft(): boolean {
    return this.#memory.left;
  }

  /** The change in flight, with the people it is about if it was asked for in this tab. */
  get pending():
    { readonly operation: Operation; readonly attempt: number; readonly names: Intent["names"] } | undefined {
    const pending = this.snapshot.pending ?? (this.#intents[0] && { ...this.#intents[0], attempt: 1 });
    if (pending === undefined) return undefined;
    const intent = this.#intents.find(({ operation }) => operation === pending.operation);
    return { operation: pending.operation, attempt: pending.attempt, names: intent?.names };
  }

  /** Why the last operation of this kind failed, in words; undefined if it did not. */
  failureOf(operation: Operation): string | undefined {
    return this.#failures.get(operation);
  }

  forgetFailureOf(operation: Operation): void {
    if (this.#failures.delete(operation)) this.changed();
  }

  /** Reads as much of the history as the list of conversations needs: the latest item, and what is unread. */
  async loadPreview(): Promise<void> {
    const unseen = this.snapshot.lastItem - this.#memory.seenUpTo;
    await this.#load(Math.min(Math.max(unseen, 1), countedItems));
  }

  /** Reads the page before the oldest item shown. Calls at the same time share one read. */
  async loadOlder(): Promise<void> {
    await this.#load(pageSize);
  }

  /** The conversation comes onto the screen. */
  async open(): Promise<void> {
    this.unreadFrom = this.#window.items.find((item) => this.#isUnread(item))?.seq;
    await this.#loading;
    if (this.#window.items.length < pageSize && this.hasOlder) await this.loadOlder();
  }

  /** The conversation goes off the screen. */
  leaveScreen(): void {
    this.followsNewest = true;
    this.unreadFrom = undefined;
    this.notice();
    this.changed();
  }

  /** Everything up to now has been seen. */
  markSeen(): void {
    const newest = this.latest?.seq ?? 0;
    if (newest > this.#memory.seenUpTo) this.#remember({ seenUpTo: newest });
  }

  /** The invitation has been noticed. */
  notice(): void {
    if (!this.#memory.noticed) this.#remember({ noticed: true });
  }

  async send(text: string): Promise<void> {
    this.notice();
    this.unreadFrom = undefined;
    await this.conversation.send(text);
  }

  /** Adds people to a group that was just made; rejects with why that failed. */
  invite(names: readonly string[]): Promise<void> {
    return this.#during({ operation: "add", names }, () => this.conversation.add(names));
  }

  /** Joins again after the conversation could not go on; rejects with why that failed. */
  rejoin(): Promise<void> {
    return this.conversation.rejoin();
  }

  /** The operations below resolve to whether they succeeded; `failureOf` tells why not. */
  add(names: readonly string[]): Promise<boolean> {
    return this.#run({ operation: "add", names }, () => this.conversation.add(names));
  }

  remove(name: string): Promise<boolean> {
    return this.#run({ operation: "remove", names: [name] }, () => this.conversation.remove([name]));
  }

  rename(title: string): Promise<boolean> {
    return this.#run({ operation: "rename", names: undefined }, () => this.conversation.rename(title));
  }

  refreshKeys(): Promise<boolean> {
    return this.#run({ operation: "update", names: undefined }, () => this.conversation.update());
  }

  async leave(): Promise<boolean> {
    this.#remember({ left: true });
    const succeeded = await this.#run({ operation: "leave", names: undefined }, () => this.conversation.leave());
    if (!succeeded) this.#remember({ left: false });
    return succeeded;
  }

  async forget(): Promise<void> {
    await this.conversation.forget();
    this.#memoryStore.delete(this.id);
  }

  dispose(): void {
    this.#disposed = true;
    this.members.stop();
    for (const release of this.#releases) release();
  }

  async #run(intent: Intent, task: () => Promise<void>): Promise<boolean> {
    this.#failures.delete(intent.operation);
    try {
      await this.#during(intent, task);
      return true;
    } catch (error) {
      this.#failures.set(intent.operation, errorInWords(error));
      this.changed();
      return false;
    }
  }

  /** Shows what is under way for as long as it is. */
  async #during(intent: Intent, task: () => Promise<void>): Promise<void> {
    this.#intents.push(intent);
    this.changed();
    try {
      await task();
    } finally {
      this.#intents.splice(this.#intents.indexOf(intent), 1);
      this.changed();
    }
  }

  async #load(limit: number): Promise<void> {
    if (this.#loading !== undefined || !this.hasOlder) {
      await this.#loading;
      return;
    }
    const before = this.#window.before;
    this.#loading = this.conversation
      .history({ limit, ...(before === undefined ? {} : { before }) })
      .then((page) => {
        this.#window.addPage(page, limit);
      })
      .finally(() => {
        this.#loading = undefined;
        if (!this.#disposed) this.changed();
      });
    this.changed();
    await this.#loading;
  }

  #onItem(item: HistoryItem): void {
    this.#window.apply(item);
    // With room to spare, so that not every item cuts.
    if (this.followsNewest && this.#window.items.length > keptItems * 1.25) this.#window.keepNewest(keptItems);
    this.changed();
  }

  #isUnread(item: HistoryItem): boolean {
    return item.kind === "message" && !item.isSelf && item.seq > this.#memory.seenUpTo;
  }

  #remember(change: Partial<ConversationMemory>): void {
    this.#memory = { ...this.#memory, ...change };
    this.#memoryStore.set(this.id, this.#memory);
    this.changed();
  }
}
