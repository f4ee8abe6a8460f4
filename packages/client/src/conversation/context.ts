/** What the parts of one conversation share. */
import type { Bytes } from "@coppice/core";
import type { DeliveryService } from "@coppice/delivery/contract";
import type { Scope, Time } from "@coppice/kit";
import type { Account } from "../account/account.ts";
import type { People } from "../account/people.ts";
import type { Pace } from "../pace.ts";
import type { History } from "./history.ts";
import type { Turns } from "./turns.ts";

/** What all conversations of an engine share. */
export interface Shared {
  readonly account: Account;
  readonly people: People;
  readonly delivery: DeliveryService;
  readonly time: Time;
  readonly pace: Pace;
  /** Ends with `ERR_CLIENT_CLOSED`. */
  readonly scope: Scope;
  /** How often the account was found rolled back; see `account/recovery.ts`. */
  readonly recovery: () => number;
  /** Stops sending everywhere: this store is older than what this device did. `seen`: the count that a conversation is at. */
  readonly rolledBack: (seen: number) => Promise<void>;
  /** Whether this engine talks to the Delivery Service for all that are on the database. */
  readonly isLeading: () => boolean;
}

export interface Context extends Shared {
  readonly id: string;
  readonly groupId: Bytes;
  readonly turns: Turns;
  readonly history: History;
  /** Told of failures in the background. */
  readonly report: (error: unknown) => void;
}
