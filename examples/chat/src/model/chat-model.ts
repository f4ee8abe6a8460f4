/** The whole chat as the screens need it: conversations in order, the selected one, connection, notices. */
import type { Client, Conversation, HistoryItem, Unsubscribe } from "coppice";
import { codeInWords, errorInWords } from "../errors-in-words.ts";
import { previewOf } from "../message-text.ts";
import type { MemoryStore } from "../preferences.ts";
import { titleOf } from "../wording.ts";
import { ConversationModel } from "./conversation-model.ts";
import { Observable } from "./observable.ts";

/** Something that went wrong and stays on the screen until it is dismissed. */
export interface Notice {
  readonly id: number;
  readonly text: string;
}

/** At most this many notices are kept: a failing network must not cover the screen. */
const maxNotices = 3;
/** Announcements of messages that arrive within this time are spoken as one, milliseconds. */
const announcementPause = 400;

export class ChatModel extends Observable {
  readonly client: Client;
  readonly #memory: MemoryStore;
  readonly #models = new Map<
    string,
    { readonly model: ConversationModel; readonly releases: readonly Unsubscribe[] }
  >();
  readonly #releases: readonly Unsubscribe[];
  #sorted: readonly ConversationModel[] | undefined;
  #selectedId: string | undefined;
  #online: boolean;
  #notices: readonly Notice[] = [];
  #lastNotice = 0;
  #announcement = "";
  #announcing: string[] = [];
  #announceTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: Client, memory: MemoryStore) {
    super();
    this.client = client;
    this.#memory = memory;
    this.#online = client.online;
    this.#releases = [
      client.on("conversation", ({ id, invitedBy }) => {
        this.#follow();
        const model = this.#models.get(id)?.model;
        if (model !== undefined && invitedBy !== undefined) {
          this.announce(`${invitedBy} invited you to ${titleOf(model.snapshot)}`);
        }
      }),
      client.on("connection", ({ online }) => {
        this.#online = online;
        this.changed();
      }),
      client.on("problem", ({ code, detail, conversation }) => {
        const model = conversation === undefined ? undefined : this.#models.get(conversation)?.model;
        const words = codeInWords(code, detail);
        this.report(model === undefined ? words : `${titleOf(model.snapshot)}: ${words}`);
      }),
    ];
    this.#follow();
  }

  get online(): boolean {
    return this.#online;
  }

  get notices(): readonly Notice[] {
    return this.#notices;
  }

  /** What a screen reader is to say next. */
  get announcement(): string {
    return this.#announcement;
  }

  /** The conversation that changed last comes first. */
  get conversations(): readonly ConversationModel[] {
    this.#sorted ??= [...this.#models.values()].map(({ model }) => model).sort((a, b) => momentOf(b) - momentOf(a));
    return this.#sorted;
  }

  get selected(): ConversationModel | undefined {
    return this.#selectedId === undefined ? undefined : this.#models.get(this.#selectedId)?.model;
  }

  get invitations(): readonly ConversationModel[] {
    return this.conversations.filter((model) => model.isNewInvitation);
  }

  get unread(): number {
    return this.conversations.reduce((sum, model) => sum + model.unread, 0);
  }

  /** Brings a conversation onto the screen; unknown ids select none. */
  select(id: string | undefined): void {
    if (id === this.#selectedId) return;
    this.selected?.leaveScreen();
    this.#selectedId = id !== undefined && this.#models.has(id) ? id : undefined;
    const { selected } = this;
    if (selected !== undefined) {
      selected.notice();
      this.#reportFailureOf(selected.open());
    }
    this.changed();
  }

  /**
   * Creates a group with these people and selects it. If they cannot be invited there is no group afterwards, and it
   * rejects with why. Without a connection the group is there at once, and the invitations go out later.
   */
  async createGroup(title: string, names: readonly string[]): Promise<void> {
    const conversation = await this.client.createGroup({ title });
    this.#follow();
    const model = this.#models.get(conversation.id)?.model;
    if (model === undefined) return;
    if (names.length > 0) {
      const invited = model.invite(names);
      if (this.#online) {
        try {
          await invited;
        } catch (error) {
          await this.forget(model);
          throw error;
        }
      } else {
        this.#reportFailureOf(invited);
      }
    }
    this.select(conversation.id);
  }

  /** Deletes a conversation from this device. */
  async forget(model: ConversationModel): Promise<void> {
    await model.forget();
    if (this.#selectedId === model.id) this.#selectedId = undefined;
    this.#follow();
  }

  report(text: string): void {
    if (text === "" || this.#notices.some((notice) => notice.text === text)) return;
    this.#notices = [...this.#notices, { id: ++this.#lastNotice, text }].slice(-maxNotices);
    this.changed();
  }

  dismiss(id: number): void {
    this.#notices = this.#notices.filter((notice) => notice.id !== id);
    this.changed();
  }

  /** Has a text spoken; several at once become a number, so that a backlog does not talk for minutes. */
  announce(text: string): void {
    this.#announcing.push(text);
    this.#announceTimer ??= setTimeout(() => {
      const texts = this.#announcing;
      this.#announcing = [];
      this.#announceTimer = undefined;
      this.#announcement = texts.length > 3 ? `${texts.length} new messages` : texts.join(". ");
      this.changed();
    }, announcementPause);
  }

  /** Releases every listener; the client stays open. */
  dispose(): void {
    clearTimeout(this.#announceTimer);
    for (const release of this.#releases) release();
    for (const id of [...this.#models.keys()]) this.#drop(id);
  }

  /** Brings the models in line with the client's conversations. */
  #follow(): void {
    const current = new Map(this.client.conversations.map((conversation) => [conversation.id, conversation]));
    for (const id of [...this.#models.keys()]) if (!current.has(id)) this.#drop(id);
    for (const conversation of current.values()) if (!this.#models.has(conversation.id)) this.#adopt(conversation);
    this.#sorted = undefined;
    this.changed();
  }

  #adopt(conversation: Conversation): void {
    const model = new ConversationModel(conversation, this.#memory);
    const releases = [
      model.subscribe(() => {
        this.#sorted = undefined;
        this.changed();
      }),
      conversation.on("message", (item) => {
        this.#announceMessage(model, item);
      }),
    ];
    this.#models.set(conversation.id, { model, releases });
    this.#reportFailureOf(model.loadPreview());
  }

  #drop(id: string): void {
    const entry = this.#models.get(id);
    if (entry === undefined) return;
    for (const release of entry.releases) release();
    entry.model.dispose();
    this.#models.delete(id);
  }

  #announceMessage(model: ConversationModel, item: Extract<HistoryItem, { kind: "message" }>): void {
    const isOpen = model.id === this.#selectedId;
    this.announce(
      isOpen
        ? `${item.sender}: ${previewOf(item.data)}`
        : `New message from ${item.sender} in ${titleOf(model.snapshot)}`,
    );
  }

  #reportFailureOf(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.report(errorInWords(error));
    });
  }
}

/** A conversation that has no items yet was created just now. */
function momentOf(model: ConversationModel): number {
  return model.latest?.at ?? Number.MAX_SAFE_INTEGER;
}
