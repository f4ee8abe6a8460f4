/** How much may be kept: by a group, by a user, by the service. */
import { deliveryError } from "../errors.ts";
import type { DomainLimits } from "./limits.ts";
import type { DomainReads } from "./store.ts";

/** Commits may go this much over a limit: a group that is full can still remove who filled it. */
const COMMIT_RESERVE = 1 / 8;

/** `ERR_DS_QUOTA` if the service keeps more than it may. Asked after the change, which is undone then. */
export async function requireStoreSpace(tx: DomainReads, { storeBytes }: DomainLimits, reserve = 0): Promise<void> {
  if (storeBytes === Infinity || (await tx.totalBytes()) <= storeBytes * (1 + reserve)) return;
  throw full("The server is full", "service");
}

/**
 * `ERR_DS_QUOTA` if the group, its creator or the service keeps more than it may. Asked after the change, which is undone
 * then.
 */
export async function requireSpace(
  tx: DomainReads,
  limits: DomainLimits,
  groupId: Uint8Array,
  kind: "commit" | "message",
): Promise<void> {
  const reserve = kind === "commit" ? COMMIT_RESERVE : 0;
  const { group, creator, allowance = limits.userBytes } = await tx.storedBytes(groupId);
  if (group > limits.groupBytes * (1 + reserve)) throw full("The group is full", "group");
  if (creator > allowance * (1 + reserve)) throw full("The groups of this group's creator are full", "creator");
  await requireStoreSpace(tx, limits, reserve);
}

const full = (what: string, of: string): Error =>
  deliveryError("ERR_DS_QUOTA", `${what}: messages have to be deleted first`, { detail: { reason: `${of}-full` } });
