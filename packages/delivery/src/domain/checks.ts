/** Checks of what a request holds, before the store is asked. */
import type { ClientId } from "../contract.ts";
import { deliveryError } from "../errors.ts";
import { clientKey } from "./client-key.ts";
import type { DomainLimits } from "./limits.ts";

export const badRequest = (message: string): Error => deliveryError("ERR_DS_BAD_REQUEST", message);

export const unknownUser = (user: string, message = "Nobody has this name"): Error =>
  deliveryError("ERR_DS_UNKNOWN_USER", message, { detail: { user } });

/** `ERR_DS_TOO_LARGE` for a message, Welcome, GroupInfo or key package over the limit. */
export function requireSize(content: Uint8Array, { messageBytes }: DomainLimits): void {
  if (content.length > messageBytes) {
    throw deliveryError(
      "ERR_DS_TOO_LARGE",
      `A message has ${String(content.length)} bytes, at most ${String(messageBytes)}`,
    );
  }
}

export function requireCount(count: number, { namesPerRequest }: DomainLimits): void {
  if (count > namesPerRequest) {
    throw deliveryError(
      "ERR_DS_TOO_LARGE",
      `A request names ${String(count)} users, at most ${String(namesPerRequest)}`,
    );
  }
}

/** `ERR_DS_BAD_REQUEST` for a client that is named twice. */
export function requireDistinct(clients: readonly ClientId[], what: string): void {
  if (new Set(clients.map(clientKey)).size !== clients.length) throw badRequest(`A client is ${what} twice`);
}
