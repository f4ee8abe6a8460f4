/** What the parts of one conversation share. */
import type { Bytes, StagedCommit } from "@coppice/core";
import type { DeliveryService } from "@coppice/delivery";
import type { Account } from "../account/account.ts";
import type { Pace, Scope } from "../waiting.ts";
import type { Ledger } from "./ledger.ts";

export interface Context {
  readonly id: string;
  readonly groupId: Bytes;
  readonly account: Account;
  readonly delivery: DeliveryService;
  readonly ledger: Ledger;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly pace: Pace;
  /** Ends with `ERR_CLIENT_CLOSED`. */
  readonly scope: Scope;
  /** The commit that this object made last, to spare decoding it. */
  readonly lastStaged: { value: StagedCommit | undefined };
}
