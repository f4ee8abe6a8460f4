/** AppAck (draft-ietf-mls-extensions-10 §6.1): which messages of the epoch a member has received, said in the transcript. */
import type { Bytes } from "../../codec/bytes.ts";
import { type Codec, decodeReceived, encode, struct, uint32, vector } from "../../codec/codec.ts";
import { CoppiceError } from "../../errors.ts";
import type { Component } from "./app-data-update.ts";
import { ComponentId } from "./component.ts";

/** Messages of one sender, both ends included. */
export interface MessageRange {
  /** Leaf index. */
  readonly sender: number;
  readonly firstGeneration: number;
  readonly lastGeneration: number;
}

/** `struct { uint32 sender; uint32 first_generation; uint32 last_generation; } MessageRange;` in `MessageRange received_ranges<V>` */
const ranges: Codec<readonly MessageRange[]> = vector(
  struct({ sender: uint32, firstGeneration: uint32, lastGeneration: uint32 }),
);

/**
 * The data of an AppAck for these messages, as `processMessage` returned them in this epoch: to be sent as an AppEphemeral of the
 * component `app_ack`.
 *
 * @example
 * ```ts run
 * import { encodeAppAck, readAppAck } from "@coppice/core/drafts/extensions";
 *
 * const received = [3, 0, 1].map((generation) => ({ sender: { leafIndex: 1 }, generation }));
 * const [first, second] = readAppAck(encodeAppAck(received));
 * console.assert(first?.lastGeneration === 1 && second?.firstGeneration === 3); // 2 is missing
 * ```
 */
export function encodeAppAck(
  received: readonly { readonly sender: { readonly leafIndex: number }; readonly generation: number }[],
): Bytes {
  const sorted = received
    .map(({ sender, generation }) => ({ sender: sender.leafIndex, generation }))
    .sort((a, b) => (a.sender === b.sender ? a.generation - b.generation : a.sender - b.sender));
  const list: MessageRange[] = [];
  for (const { sender, generation } of sorted) {
    const last = list.at(-1);
    if (last?.sender === sender && generation <= last.lastGeneration + 1) {
      list[list.length - 1] = { ...last, lastGeneration: generation };
    } else list.push({ sender, firstGeneration: generation, lastGeneration: generation });
  }
  return encode(ranges, list);
}

/** Reads an AppAck; `ERR_MLS_DECODE` (X-6.1-1) for a range that ends before it begins. */
export function readAppAck(data: Uint8Array): readonly MessageRange[] {
  const list = decodeReceived(ranges, data);
  const reversed = list.find(({ firstGeneration, lastGeneration }) => firstGeneration > lastGeneration);
  if (reversed === undefined) return list;
  throw new CoppiceError("ERR_MLS_DECODE", "A range of an AppAck ends before it begins", {
    requirement: "X-6.1-1",
    detail: { sender: reversed.sender },
  });
}

/** Whether an AppAck of another member says that it has this message. */
export const isAcknowledged = (
  acknowledged: readonly MessageRange[],
  { sender, generation }: { readonly sender: number; readonly generation: number },
): boolean =>
  acknowledged.some(
    (range) => range.sender === sender && range.firstGeneration <= generation && generation <= range.lastGeneration,
  );

/** The component `app_ack`, for `withExtensions`: refuses what is no AppAck. */
export const appAck: Component = {
  componentId: ComponentId.appAck,
  checkEphemeral: ({ data }) => {
    readAppAck(data);
  },
};
