/** Takes a conversation's messages from the engine no faster than the page does. */
import type { Conversation, ConversationEvents, Unsubscribe } from "@coppice/client";
import { MAX_AHEAD } from "@coppice/kit";
import { BATCH_EVENTS } from "../limits.ts";

/**
 * The engine reports each message once to a session. It stops while nobody listens and goes on where it stopped, so a tap that
 * closes itself keeps what is on its way to the page to one batch.
 */
export class MessageTap {
  readonly #conversation: Conversation;
  readonly #take: (message: ConversationEvents["message"]) => Promise<void>;
  readonly #isFull: () => boolean;
  #release: Unsubscribe | undefined;
  #taken = 0;

  /** `take` gets the messages, and resolves when the page has one; `isFull` says when to stop before a batch is complete. */
  constructor(
    conversation: Conversation,
    take: (message: ConversationEvents["message"]) => Promise<void>,
    isFull: () => boolean,
  ) {
    this.#conversation = conversation;
    this.#take = take;
    this.#isFull = isFull;
    this.open();
  }

  /** Takes up to one more batch. */
  open(): void {
    this.#taken = 0;
    const take = (message: ConversationEvents["message"]): Promise<void> => {
      const taken = this.#take(message);
      this.#taken += 1;
      if (this.#taken >= BATCH_EVENTS || this.#isFull()) this.close();
      return taken;
    };
    this.#release ??= this.#conversation.on("message", take, { ahead: MAX_AHEAD });
  }

  close(): void {
    this.#release?.();
    this.#release = undefined;
  }
}
