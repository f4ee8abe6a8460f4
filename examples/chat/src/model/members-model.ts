/** The people of a conversation, page by page, and the number they compare: read only while somebody looks. */
import type { Conversation, Member } from "coppice";
import { errorInWords } from "../errors-in-words.ts";

/** People read at a time. */
const pageSize = 100;

export class MembersModel {
  readonly #conversation: Conversation;
  readonly #onChange: () => void;
  #list: readonly Member[] = [];
  #safetyNumber = "";
  #problem: string | undefined;
  #next: string | undefined;
  /** People that are wanted; 0 while nobody looks. */
  #wanted = 0;
  #reading: Promise<void> | undefined;
  #again = false;

  constructor(conversation: Conversation, onChange: () => void) {
    this.#conversation = conversation;
    this.#onChange = onChange;
  }

  get list(): readonly Member[] {
    return this.#list;
  }

  /** Empty until it was read. */
  get safetyNumber(): string {
    return this.#safetyNumber;
  }

  get hasMore(): boolean {
    return this.#next !== undefined;
  }

  /** Why the last reading failed, in words. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Somebody looks: reads the first page and follows changes. */
  start(): void {
    this.#wanted = Math.max(this.#wanted, pageSize);
    this.refresh();
  }

  /** Nobody looks any more. */
  stop(): void {
    this.#wanted = 0;
  }

  showMore(): void {
    this.#wanted += pageSize;
    this.refresh();
  }

  /** Reads what is looked at again. */
  refresh(): void {
    if (this.#wanted === 0) return;
    if (this.#reading !== undefined) {
      this.#again = true;
      return;
    }
    this.#reading = this.#read().finally(() => {
      this.#reading = undefined;
      this.#onChange();
      if (!this.#again) return;
      this.#again = false;
      this.refresh();
    });
  }

  async #read(): Promise<void> {
    try {
      const list: Member[] = [];
      let next: string | undefined;
      do {
        const page = await this.#conversation.members({
          limit: pageSize,
          ...(next === undefined ? {} : { after: next }),
        });
        list.push(...page.members);
        ({ next } = page);
      } while (next !== undefined && list.length < this.#wanted);
      this.#list = list;
      this.#next = next;
      this.#safetyNumber = await this.#conversation.safetyNumber();
      this.#problem = undefined;
    } catch (error) {
      this.#problem = errorInWords(error);
    }
  }
}
