/** Pictures of a conversation for the application: the same object until something in it changes. */
import type { GroupState } from "@coppice/core";
import { nameOf, titleOf } from "../account/authentication.ts";
import type { ConversationSnapshot, Member } from "../api.ts";
import { statusOf, type Held } from "./held.ts";
import { safetyNumber } from "./safety-number.ts";

/** What depends on the epoch alone and costs O(members). */
interface EpochPicture {
  readonly state: GroupState;
  readonly title: string;
  readonly members: readonly Member[];
  readonly safetyNumber: string;
}

export class Snapshots {
  #picture: EpochPicture | undefined;
  #current: ConversationSnapshot;

  constructor(id: string, held: Held) {
    this.#current = this.#build(id, held);
  }

  get current(): ConversationSnapshot {
    return this.#current;
  }

  /** Whether there is a new snapshot. */
  update(held: Held): boolean {
    const next = this.#build(this.#current.id, held);
    if (sameSnapshot(this.#current, next)) return false;
    this.#current = next;
    return true;
  }

  #build(id: string, held: Held): ConversationSnapshot {
    const picture = this.#pictureOf(held.state);
    const { meta, pending, state } = held;
    return Object.freeze({
      id,
      title: picture.title,
      status: statusOf(held),
      problem: meta.problem,
      epoch: state.context.epoch,
      members: picture.members,
      invitedBy: meta.invitedBy,
      safetyNumber: picture.safetyNumber,
      pending: pendingOf(held, pending),
      lastItem: meta.lastItem,
    });
  }

  #pictureOf(state: GroupState): EpochPicture {
    const known = this.#picture;
    if (known?.state.context.epoch === state.context.epoch && known.state.status === state.status) return known;
    const members = [...state.tree.members()].map(([leafIndex, { credential }]) =>
      Object.freeze({ name: nameOf(credential), leafIndex: Number(leafIndex), isSelf: leafIndex === state.leafIndex }),
    );
    this.#picture = {
      state,
      title: titleOf(state.context.extensions),
      members: Object.freeze(members),
      // A removed member has no epoch authenticator to show any more.
      safetyNumber: state.status === "removed" ? (known?.safetyNumber ?? "") : safetyNumber(state),
    };
    return this.#picture;
  }
}

function pendingOf({ meta, state }: Held, pending: Held["pending"]): ConversationSnapshot["pending"] {
  if (pending !== undefined) return Object.freeze({ operation: pending.intent.operation, attempt: pending.attempt });
  if (meta.leaving && state.status === "active") return Object.freeze({ operation: "leave", attempt: 1 });
  return undefined;
}

function sameSnapshot(a: ConversationSnapshot, b: ConversationSnapshot): boolean {
  return (
    a.title === b.title &&
    a.status === b.status &&
    a.problem === b.problem &&
    a.epoch === b.epoch &&
    a.members === b.members &&
    a.invitedBy === b.invitedBy &&
    a.safetyNumber === b.safetyNumber &&
    a.pending?.operation === b.pending?.operation &&
    a.pending?.attempt === b.pending?.attempt &&
    a.lastItem === b.lastItem
  );
}
