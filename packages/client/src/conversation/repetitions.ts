/**
 * A message that was sealed again may arrive twice, in either order: it is shown once. Which ones were says the sender, inside the
 * ciphertext. Its first sealing may have come at any time before: the whole history is looked through, once for all that arrive
 * together. Or it comes after, of the same epoch or an earlier one: as long as that can be opened, it is remembered among which items
 * to look. All other messages cost no look.
 */
import type { ResentItems, SeqRange, Summary } from "../records/conversation.ts";
import type { History } from "./history.ts";
import type { NewItem, Transaction } from "./transaction.ts";

/** Items that are read at once. */
const PAGE = 512;

export type Message = Extract<NewItem, { kind: "message" }> & { readonly isResent: boolean };

/** What was received and is shown, as far as repetitions are concerned. */
type Reader = Pick<Transaction, "summary" | "items">;

export class Repetitions {
  /** By key, messages of which one of two sealings is shown. */
  readonly #shown: Set<string>;
  readonly #summary: Summary;
  #resent: readonly ResentItems[];

  private constructor({ summary }: Reader, shown: Set<string>) {
    this.#summary = summary;
    this.#resent = summary.resent;
    this.#shown = shown;
  }

  /** Looks for messages that arrive together. */
  static async among(messages: readonly Message[], reader: Reader, history: History): Promise<Repetitions> {
    const { lastItem, resent } = reader.summary;
    const again = messages.filter(({ isResent }) => isResent);
    const late = messages.filter((message) => mayFollow(message, resent));
    const shown = new Set(reader.items.flatMap((item) => (item.kind === "message" ? keyOf(item) : [])));
    await find(again, { range: { from: 1, to: lastItem }, history, shown });
    for (const range of resent) await find(late, { range, history, shown });
    return new Repetitions(reader, shown);
  }

  /** What the summary has to say of what was sealed again. */
  get resent(): readonly ResentItems[] {
    return this.#resent;
  }

  /** Whether a message is to be passed over. */
  has(message: Message): boolean {
    return (message.isResent || mayFollow(message, this.#resent)) && this.#shown.has(keyOf(message));
  }

  /** This message becomes item `seq` of the history. */
  note(message: Message, seq: number): void {
    this.#shown.add(keyOf(message));
    if (message.isResent) this.#resent = withItem(this.#resent, { epoch: message.epoch, seq }, this.#summary);
  }
}

const keyOf = ({ id, sender }: Pick<Message, "id" | "sender">): string => `${id} ${sender}`;

/** Whether it may be the first sealing of a message that is shown. */
const mayFollow = ({ isResent, epoch }: Message, resent: readonly ResentItems[]): boolean =>
  !isResent && resent.some((items) => epoch <= items.epoch);

/** One entry for each epoch that can still be opened. */
function withItem(
  resent: readonly ResentItems[],
  { epoch, seq }: { readonly epoch: bigint; readonly seq: number },
  { epoch: current, ended }: Summary,
): readonly ResentItems[] {
  const openable = new Set([current, ...ended.map((end) => end.epoch)]);
  const others = resent.filter((items) => items.epoch !== epoch && openable.has(items.epoch));
  const from = resent.find((items) => items.epoch === epoch)?.from ?? seq;
  return [...others, { epoch, from, to: seq }];
}

/** Adds to `shown` which of these messages the history has in the range, newest first, a page at a time. */
async function find(
  messages: readonly Message[],
  { range, history, shown }: { readonly range: SeqRange; readonly history: History; readonly shown: Set<string> },
): Promise<void> {
  const missing = new Set(messages.map(keyOf).filter((key) => !shown.has(key)));
  for (let before = range.to + 1; missing.size > 0 && before > range.from;) {
    const page = await history.page({ before, limit: Math.min(PAGE, before - range.from) });
    for (const item of page) {
      if (item.kind === "message" && missing.delete(keyOf(item))) shown.add(keyOf(item));
    }
    before = page[0]?.seq ?? 0;
  }
}
