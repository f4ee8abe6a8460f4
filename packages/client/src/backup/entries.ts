/**
 * What a backup holds: the account, pins, and the history of each conversation. Never ratchets, secrets of epochs or key packages: who
 * restores it comes back into its groups under new keys. A backup is a sequence of chunks, each a list of entries; the account comes
 * first, and a conversation after its items.
 */
import { codec, type Bytes, type Codec } from "@coppice/core";
import { id128, integer, record, text, type RecordCodec } from "../records/primitives.ts";

export interface AccountEntry {
  readonly kind: "account";
  readonly user: string;
  readonly device: string;
  readonly publicKey: Bytes;
  /** The device's key in the user's device log: secret. */
  readonly privateKey: Bytes;
  readonly salt: Bytes;
  readonly position: number;
  /** See `RecoveryRecord`. */
  readonly recovery: number;
  /** Items of all histories, about. */
  readonly items: number;
}

export type Entry =
  | AccountEntry
  /** An encoded `pinRecord`. */
  | { readonly kind: "pin"; readonly pin: Bytes }
  /** Encoded `itemRecord`s. */
  | { readonly kind: "items"; readonly conversation: string; readonly items: readonly Bytes[] }
  /** An encoded `summaryRecord`. */
  | { readonly kind: "conversation"; readonly conversation: string; readonly summary: Bytes };

const entry: Codec<Entry> = codec.select<"kind", Entry["kind"], Entry>(
  "kind",
  codec.closedEnum(codec.uint8, { account: 1, pin: 2, items: 3, conversation: 4 }),
  {
    account: codec.struct<Omit<AccountEntry, "kind">>({
      user: text,
      device: id128,
      publicKey: codec.opaque,
      privateKey: codec.opaque,
      salt: codec.opaque,
      position: integer,
      recovery: integer,
      items: integer,
    }),
    pin: codec.struct({ pin: codec.opaque }),
    items: codec.struct({ conversation: text, items: codec.vector(codec.opaque) }),
    conversation: codec.struct({ conversation: text, summary: codec.opaque }),
  },
);

/** A chunk. */
export const entries: RecordCodec<readonly Entry[]> = record(codec.vector(entry));
