/** Proposals and application messages. */
import { EPOCH_WINDOW, MAX_MESSAGES_PER_CALL, type ClientId, type LogEntry, type LogPosition } from "../contract.ts";
import { deliveryError } from "../errors.ts";
import { badRequest, requireSize } from "./checks.ts";
import { bytesKey } from "./client-key.ts";
import type { Context } from "./context.ts";
import { findGroup, findPosted, forbidden, requireAdmitted, requireSameLog, rolledBack } from "./group-access.ts";
import { requireSpace } from "./space.ts";
import type { GroupRecord, NewEntry } from "./store.ts";

interface Batch {
  readonly groupId: Uint8Array;
  readonly position: LogPosition;
  readonly messages: readonly { readonly epoch: bigint; readonly message: Uint8Array }[];
}

/** See `DeliveryService.sendMessages`. */
export async function sendMessages(
  context: Context,
  client: ClientId,
  { groupId, position, messages }: Batch,
): Promise<{ readonly seqs: readonly number[] }> {
  if (messages.length === 0 || messages.length > MAX_MESSAGES_PER_CALL) {
    throw badRequest(`A call sends 1 to ${String(MAX_MESSAGES_PER_CALL)} messages`);
  }
  for (const { message } of messages) requireSize(message, context.limits);
  const hashes = messages.map(({ message }) => context.sha256(message));
  return context.change(async (tx, afterwards) => {
    const access = await findGroup(tx, groupId, client);
    requireAdmitted(access);
    const { group } = access;
    requireSameLog(group, position);
    const posted = await findPosted(tx, access, "message", hashes);
    const receivedAt = Math.max(group.lastReceivedAt, context.clock.now());
    const entries: NewEntry[] = [];
    const seqs: number[] = [];
    /** Bytes may stand twice in one batch too. */
    const fresh = new Map<string, number>();
    for (const [index, { epoch, message }] of messages.entries()) {
      const hash = hashes[index] ?? new Uint8Array(0);
      const known = posted[index] ?? fresh.get(bytesKey(hash));
      seqs.push(known ?? group.lastSeq + entries.length + 1);
      if (known !== undefined) continue;
      requireOpenEpoch(group, epoch, receivedAt);
      const seq = group.lastSeq + entries.length + 1;
      fresh.set(bytesKey(hash), seq);
      entries.push({ seq, kind: "message", epoch, message: new Uint8Array(message), receivedAt, hash });
    }
    if (entries.length === 0) return { seqs };
    if (!access.readsNow) throw forbidden();
    const readers = await context.readers.load(tx, group);
    await tx.append(group.groupId, entries, context.clock.age());
    await tx.putGroup({ ...group, lastSeq: group.lastSeq + entries.length, lastReceivedAt: receivedAt });
    await requireSpace(tx, context.limits, group.groupId, "message");
    afterwards(() => {
      context.readers.remember(group, readers);
      for (const { hash: _, ...entry } of entries) {
        context.notify({
          type: "log",
          groupId: group.groupId,
          incarnation: group.incarnation,
          entry: entry satisfies LogEntry,
          readers,
          poster: client,
        });
      }
    });
    return { seqs };
  });
}

/**
 * `ERR_DS_EPOCH_TOO_OLD` for an epoch outside `EPOCH_WINDOW`. The time is that between the entries of the log, as members
 * measure it.
 */
function requireOpenEpoch(group: GroupRecord, epoch: bigint, receivedAt: number): void {
  if (epoch > group.epoch) throw rolledBack();
  const behind = group.epoch - epoch;
  if (behind === 0n) return;
  const endedAt = behind > BigInt(EPOCH_WINDOW.epochs) ? undefined : group.endedAt[Number(behind) - 1];
  if (endedAt === undefined || receivedAt - endedAt > EPOCH_WINDOW.milliseconds) {
    throw deliveryError("ERR_DS_EPOCH_TOO_OLD", "Members may not be able to open this epoch any more: seal it again", {
      detail: { epoch: group.epoch },
    });
  }
}
