/** A backlog of application messages (RFC 9420 §15): opened in batches, with the outcome of each as if it came alone. */
import { untilAborted } from "@coppice/kit";
import type { Bytes } from "../codec/bytes.ts";
import type { CoppiceError } from "../errors.ts";
import type { MlsMessage } from "../framing/mls-message.ts";
import type { PrivateMessage } from "../framing/private-message.ts";
import { type Unprotected, unprotectPrivate } from "../framing/unprotect.ts";
import { type GroupState, type KnowingState, type Transition, requireReadable } from "../state/group-state.ts";
import type { Progress } from "../in-flight.ts";
import { type Result, attempt, isRefusal, succeeded } from "../result.ts";
import type { Rules } from "../rules.ts";
import {
  type EpochView,
  type OpenedApplication,
  applicationFrom,
  openingKeys,
  openPrivate,
  verifyAuthor,
  withSecretTree,
} from "./open-private.ts";
import { decodeGroupMessage } from "./receive.ts";

/** A message that was refused; it changed nothing. */
export interface RefusedMessage {
  readonly kind: "refused";
  /** What `processMessage` rejects with for this message. */
  readonly error: CoppiceError;
}

/** What became of a message. */
export type OpenedMessage = OpenedApplication | RefusedMessage;

/** What became of a backlog, and the state after it. */
export interface OpenedMany<S extends KnowingState = GroupState> extends Transition<S> {
  /** From the first message on, in their order. Fewer than there are messages if one of them is a handshake. */
  readonly outcomes: readonly OpenedMessage[];
}

/** Messages that are opened together. */
const BATCH = 64;

/**
 * Opens application messages of this group, encoded or decoded, up to the first proposal or Commit among them: that one is for
 * `processMessage`, then go on behind it. The result is what `processMessage` gives for one after the other: a message
 * that is refused changes nothing and keeps none of the others from being opened. Store the state, then erase `consumed`. Rejects with
 * `ERR_MLS_NOT_LOADED` for a state without what `recordsToOpen` names.
 *
 * @example
 * ```ts run
 * import { createApplicationMessage, erase, openMany, utf8 } from "@coppice/core";
 * import { alice, bob, rules } from "./example-group.ts"; // docs/examples
 *
 * const first = await createApplicationMessage(alice.state, utf8("one"), { rules, signer: alice.signer });
 * const second = await createApplicationMessage(first.state, utf8("two"), { rules, signer: alice.signer });
 * const opened = await openMany(bob.state, [first.message, second.message], { rules });
 * for (const outcome of opened.outcomes) {
 *   if (outcome.kind === "refused") console.warn(outcome.error.code);
 *   else console.log(outcome.sender.leafIndex, new TextDecoder().decode(outcome.data));
 * }
 * console.assert(opened.outcomes.every(({ kind }) => kind === "application"));
 * // Store opened.state, then:
 * erase(...opened.consumed);
 * ```
 */
export async function openMany<S extends KnowingState>(
  state: S,
  messages: readonly (Uint8Array | MlsMessage)[],
  { rules, signal, onProgress }: Progress & { readonly rules: Pick<Rules, "limits"> },
): Promise<OpenedMany<S>> {
  requireReadable(state);
  let done: OpenedMany<S> = { state, consumed: [], outcomes: [] };
  while (done.outcomes.length < messages.length) {
    signal?.throwIfAborted();
    const from = done.outcomes.length;
    await untilAborted(Promise.resolve(onProgress?.(from, messages.length)), signal);
    const batch = leadingApplications(messages.slice(from, from + BATCH), rules);
    const {
      state: next,
      consumed,
      outcomes,
    } = (await openTogether(done.state, batch, rules)) ?? (await openOneByOne(done.state, batch, rules));
    done = { state: next, consumed: [...done.consumed, ...consumed], outcomes: [...done.outcomes, ...outcomes] };
    if (batch.length < BATCH) break;
  }
  await onProgress?.(done.outcomes.length, messages.length);
  return done;
}

/** Decodes messages up to the first handshake. */
export function leadingApplications(
  messages: readonly (Uint8Array | MlsMessage)[],
  rules: Pick<Rules, "limits">,
): Result<PrivateMessage>[] {
  const leading: Result<PrivateMessage>[] = [];
  for (const message of messages) {
    const decoded = attempt(() => decodeGroupMessage(message, rules));
    if (!succeeded(decoded)) leading.push(decoded);
    else if (decoded.wireFormat === "mls_private_message" && decoded.privateMessage.contentType === "application") {
      leading.push(decoded.privateMessage);
    } else break;
  }
  return leading;
}

/** Messages of one epoch, with their places in the batch. */
interface OfEpoch {
  readonly view: EpochView;
  readonly messages: PrivateMessage[];
  readonly places: number[];
}

/**
 * Opens a batch as if each message were sealed and signed well. Undefined if one is not: then the state lacks keys that this
 * message must not cost.
 */
async function openTogether<S extends KnowingState>(
  state: S,
  batch: readonly Result<PrivateMessage>[],
  rules: Pick<Rules, "limits">,
): Promise<OpenedMany<S> | undefined> {
  const outcomes: OpenedMessage[] = [];
  const epochs = new Map<bigint, OfEpoch>();
  for (const [place, message] of batch.entries()) {
    const view = succeeded(message) ? attempt(() => openingKeys(state, message, rules)) : message;
    if (!succeeded(view)) {
      outcomes[place] = refused(view);
    } else if (succeeded(message)) {
      const ofEpoch = epochs.get(message.epoch) ?? { view, messages: [], places: [] };
      ofEpoch.messages.push(message);
      ofEpoch.places.push(place);
      epochs.set(message.epoch, ofEpoch);
    }
  }
  let next = state;
  const consumed: Bytes[] = [];
  for (const [epoch, { view, messages, places }] of epochs) {
    const opened = await unprotectPrivate(state.suite, messages, view);
    const verified = opened.costsKeys ? undefined : await verifyAll(state, opened.outcomes, view);
    if (verified === undefined) return undefined;
    for (const [i, outcome] of verified.entries()) outcomes[places[i] ?? 0] = outcome;
    next = withSecretTree(next, epoch, opened.secretTree);
    consumed.push(...opened.consumed);
  }
  return { state: next, consumed, outcomes };
}

const refused = (error: CoppiceError): RefusedMessage => ({ kind: "refused", error });

/** Verifies signatures in flight. Undefined if one of them fails. */
async function verifyAll(
  { suite }: KnowingState,
  opened: readonly Result<Unprotected>[],
  view: EpochView,
): Promise<OpenedMessage[] | undefined> {
  const verify = async (item: Result<Unprotected>): Promise<OpenedMessage> =>
    succeeded(item) ? applicationFrom(item, await verifyAuthor(suite, item, view)) : refused(item);
  try {
    return await Promise.all(opened.map(verify));
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

async function openOneByOne<S extends KnowingState>(
  state: S,
  batch: readonly Result<PrivateMessage>[],
  rules: Pick<Rules, "limits">,
): Promise<OpenedMany<S>> {
  const outcomes: OpenedMessage[] = [];
  const consumed: Bytes[] = [];
  let next = state;
  for (const message of batch) {
    try {
      if (!succeeded(message)) throw message;
      const { opened, author, ...transition } = await openPrivate(next, message, rules);
      outcomes.push(applicationFrom(opened, author));
      next = transition.state;
      consumed.push(...transition.consumed);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      outcomes.push(refused(error));
    }
  }
  return { state: next, consumed, outcomes };
}
