/**
 * The way back for whoever cannot follow a group any more: an external Commit under new keys (RFC 9420 §12.4.3.2), from the GroupInfo
 * that the Delivery Service keeps. It replaces the device's former leaf.
 */
import {
  createExternalCommit,
  decodeMessageOf,
  DEFAULT_LIMITS,
  equalBytes,
  observeGroup,
  type GroupInfo,
  type GroupState,
  type LeafIndex,
  type PublicGroupState,
  type Rules,
} from "@coppice/core";
import type { StoredGroupInfo } from "@coppice/delivery/contract";
import { CoppiceError, isCoppiceError, jitter, untilAborted } from "@coppice/kit";
import { identityOf, ownCredential, userOf, withFetchedLogs } from "../account/authentication.ts";
import { momentOf } from "../account/clock.ts";
import { CAPABILITIES } from "../account/key-packages.ts";
import { clientError } from "../errors.ts";
import { groupInfoOf } from "./commit-pipeline.ts";
import type { Context } from "./context.ts";
import { membershipWrite, readFormer, type Former } from "./membership.ts";
import { titleOf } from "./title.ts";

const MAX_ATTEMPTS = 8;
const MAX_CONFLICTS = 64;

export interface RejoinOptions {
  /** Code of what happened, for the history. */
  readonly reason: string;
  /**
   * People that the group may have; others would come back unseen if the Delivery Service showed an older state of it. Undefined
   * for whoever decided to join in spite of that.
   */
  readonly expected: ReadonlySet<string> | undefined;
  /** The earliest epoch that is accepted. */
  readonly epoch: bigint;
  /** Called between the acceptance of the Commit and the end of the old state: the last chance to read with it. */
  readonly accepted: (() => Promise<void>) | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Joins again, and stores the new membership in the place of the old one: what is not sent yet is sent under it. Nothing has
 * changed on this device if it rejects. `ERR_MLS_GROUP_INFO` and other codes of what the Delivery Service has, `ERR_DS_FORBIDDEN` if this
 * device was removed, `ERR_CLIENT_CONFLICT`.
 */
export async function rejoin(context: Context, options: RejoinOptions): Promise<void> {
  const { delivery, groupId, scope, time, pace, recovery, account } = context;
  const { signal } = options;
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    // What is found out meanwhile is not mended by this.
    const recovered = recovery();
    const stored = await untilAborted(delivery.readGroupInfo(groupId, signal && { signal }), signal);
    const { commit, state, epoch } = await withFetchedLogs({ ...context, signal }, (rules) =>
      prepare(stored, context, { ...options, rules }),
    );
    const { user, device } = account;
    const outcome = await untilAborted(
      delivery.submitCommit({
        groupId,
        position: stored.position,
        epoch,
        commit,
        groupInfo: await groupInfoOf(state, account.signer),
        added: [{ client: { user, device }, welcome: undefined }],
        removed: [],
      }),
      signal,
    );
    if (outcome.accepted) {
      await lastChance(context, options.accepted);
      const position = { incarnation: stored.position.incarnation, seq: outcome.seq };
      await store(context, { state, position, reason: options.reason, recovery: recovered });
      return;
    }
    await scope.sleep(time, jitter(time, pace.conflict * attempt), signal);
  }
  throw clientError("ERR_CLIENT_CONFLICT", "The commits of others won every attempt to join again: try again");
}

/** Does it, in a bounded number of attempts: the new state is not to be lost over it. */
async function lastChance({ scope, time, pace }: Context, work: (() => Promise<void>) | undefined): Promise<void> {
  for (let attempt = 1; work !== undefined && attempt <= MAX_ATTEMPTS; attempt++) {
    try {
      await work();
      return;
    } catch {
      // Out of reach, or forbidden: what was written since the log was read is then lost, as the history says.
      await scope.sleep(time, jitter(time, pace.conflict * attempt));
    }
  }
}

/**
 * Goes on in a log that was restored without losing a Commit: the group is in the same epoch, and only the place in the log is
 * another one. Messages that are read again are known. Resolves with whether it is so.
 */
export async function resume({ delivery, groupId, turns }: Context): Promise<boolean> {
  const { groupInfo: bytes, position } = await delivery.readGroupInfo(groupId);
  const { groupInfo } = decodeMessageOf("mls_group_info", bytes, DEFAULT_LIMITS);
  return turns.transact(async (transaction) => {
    const { context, confirmationTag } = await transaction.messaging(() => []);
    const { groupContext } = groupInfo;
    const isSame = groupContext.epoch === context.epoch && equalBytes(groupInfo.confirmationTag, confirmationTag);
    if (!isSame || transaction.summary.status !== "recovering") return false;
    for (const seq of [...transaction.future.keys()]) transaction.setFuture(seq, undefined);
    transaction.setSummary({ status: "active", problem: undefined, position, own: [] });
    return true;
  });
}

interface Prepared {
  readonly commit: Uint8Array;
  readonly state: GroupState;
  /** The epoch that the commit ends. */
  readonly epoch: bigint;
}

async function prepare(
  { groupInfo: bytes, epoch }: StoredGroupInfo,
  { account, groupId }: Context,
  { rules, ...options }: RejoinOptions & { readonly rules: Rules },
): Promise<Prepared> {
  const { suite, signer } = account;
  const { groupInfo } = decodeMessageOf("mls_group_info", bytes, rules.limits);
  checkContext(groupInfo, { groupId, epoch, earliest: options.epoch });
  const observed = await observeGroup(groupInfo, { suite, rules });
  checkPeople(observed, options.expected);
  const replaces = ownLeafIn(observed, account);
  const joining = await createExternalCommit(groupInfo, {
    ...{ suite, rules, signer },
    credential: ownCredential(account),
    capabilities: CAPABILITIES,
    ...(replaces === undefined ? {} : { replaces }),
  });
  return { ...joining, epoch };
}

function checkContext(
  { groupContext }: GroupInfo,
  { groupId, epoch, earliest }: { readonly groupId: Uint8Array; readonly epoch: bigint; readonly earliest: bigint },
): void {
  if (!equalBytes(groupContext.groupId, groupId) || groupContext.epoch !== epoch) {
    throw new CoppiceError("ERR_MLS_GROUP_INFO", "The Delivery Service has the GroupInfo of another group or epoch");
  }
  if (epoch >= earliest) return;
  throw new CoppiceError("ERR_MLS_GROUP_INFO", "The Delivery Service has an older epoch of the group than was seen", {
    detail: { epoch, seen: earliest },
  });
}

function checkPeople({ tree }: PublicGroupState, expected: ReadonlySet<string> | undefined): void {
  if (expected === undefined) return;
  for (const [, leaf] of tree.members()) {
    const user = userOf(leaf);
    if (expected.has(user)) continue;
    throw clientError(
      "ERR_CLIENT_LOG_CHANGED",
      `The Delivery Service shows an older state of the group, in which ${user} is a member: rejoin if that is right`,
      { detail: { user } },
    );
  }
}

function ownLeafIn(
  { tree }: PublicGroupState,
  { user, device }: { readonly user: string; readonly device: string },
): LeafIndex | undefined {
  for (const [index, leaf] of tree.members()) {
    const { client } = identityOf(leaf.credential);
    if (client.user === user && client.device === device) return index;
  }
  return undefined;
}

/** Whether another context has joined again meanwhile, and replaced the leaf that this one made. */
function isLater(
  { summary }: Former,
  { state, recovery }: { readonly state: GroupState; readonly recovery: number },
): boolean {
  if (summary?.status !== "active" || summary.recovery < recovery) return false;
  return summary.epoch >= state.context.epoch;
}

/** Writes the new membership, whatever else was written meanwhile: the old one is of no use to anybody. */
async function store(
  { account, id, time, turns }: Context,
  given: {
    readonly state: GroupState;
    readonly position: { readonly incarnation: string; readonly seq: number };
    readonly reason: string;
    readonly recovery: number;
  },
): Promise<void> {
  const { state, position, reason, recovery } = given;
  const gap = { kind: "gap", at: momentOf(time), epoch: state.context.epoch, problem: reason } as const;
  for (let conflicts = 0; ; conflicts++) {
    const former = await readFormer(account.store, id);
    if (isLater(former, { state, recovery })) break;
    const titleKey = former.summary?.titleKey;
    const title = await titleOf(state, titleKey);
    try {
      await account.store.write([
        membershipWrite(id, { state, title, titleKey, position, items: [gap], recovery }, former),
      ]);
      break;
    } catch (error) {
      if (!isCoppiceError(error, "ERR_STORE_CONFLICT") || conflicts >= MAX_CONFLICTS) throw error;
    }
  }
  await turns.refresh();
}
