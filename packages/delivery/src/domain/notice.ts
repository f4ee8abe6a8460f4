/** What the domain tells its host after a change took effect: what to send to whom. A notice may be lost. */
import type { Bytes } from "@coppice/core";
import type { ClientId, LogEntry } from "../contract.ts";

export type Notice =
  /** A group's log grew. `readers` are the keys (`clientKey`) of those who may read the entry. */
  | {
      readonly type: "log";
      readonly groupId: Bytes;
      readonly incarnation: string;
      readonly entry: LogEntry;
      readonly readers: ReadonlySet<string>;
      /** Who posted it, and knows it from the answer. */
      readonly poster: ClientId;
    }
  /** Welcomes arrived. */
  | { readonly type: "inbox"; readonly clients: readonly ClientId[] }
  /** A user's device log grew. */
  | { readonly type: "devices"; readonly user: string; readonly clients: readonly ClientId[] }
  /** A device log no longer lists this client under the key it signed in with: end its tokens and connections. */
  | { readonly type: "revoked"; readonly client: ClientId };
