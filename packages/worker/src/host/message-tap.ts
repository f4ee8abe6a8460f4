/** Takes a conversation's messages from the engine no faster than the page does. */
import type { Conversation, ConversationEvents, Unsubscribe } from "@coppice/client";
import { BATCH_EVENTS } from "../limits.ts";

/**
 * The engine reports each message once and counts it as handed over. It stops while nobody listens and goes on where it
 * stopped, so a tap that closes itself keeps what the page may still miss to one batch.
 */
export class MessageTap {
  readonly #conversation: Conversation;
  readonly #take: (message: ConversationEvents["message"]) => void;
  readonly #isFull: () => boolean;
  #release: Unsubscribe | undefined;
  #taken = 0;

  /** `take` gets the messages; `isFull` says when to stop before a batch is complete. */
  constructor(
    conversation: Conversation,
    take: (message: ConversationEvents["message"]) => void,
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
    this.#release ??= this.#conversation.on("message", (message) => {
      this.#take(message);
      this.#taken += 1;
      if (this.#taken >= BATCH_EVENTS || this.#isFull()) this.close();
    });
  }

  close(): void {
    this.#release?.();
    this.#release = undefined;
  }
}
