/** How a group must relate to the one it succeeds (RFC 9420 §11.2, §11.3), checked by those who make it and those who join it. */

import { type Bytes, equalBytes, toHex } from "../codec/bytes.ts";
import { encode } from "../codec/codec.ts";
import { type Credential, credential } from "../identity/credential.ts";
import { CoppiceError } from "../errors.ts";
import { extensions } from "../extensions/extension.ts";
import type { GroupState } from "../state/group-state.ts";
import { type Identity, type IdentityRules, isSameIdentity } from "../identity/authentication.ts";
import type { GroupContext } from "../schedule/group-context.ts";
import type { PreSharedKeyId } from "../schedule/psk.ts";
import { membersOf } from "../state/former-members.ts";
import type { RatchetTree } from "../tree/ratchet-tree.ts";

/** The id of a resumption PSK that ties a new group to an old one. */
export type SuccessionPskId = Extract<PreSharedKeyId, { pskType: "resumption" }> & {
  readonly usage: "reinit" | "branch";
};

export const isSuccessionPsk = (id: PreSharedKeyId): id is SuccessionPskId =>
  id.pskType === "resumption" && id.usage !== "application";

const refused = (message: string, requirement: string): CoppiceError =>
  new CoppiceError("ERR_MLS_WELCOME", message, { requirement });

/** The value of the PSK at a member of the old group; undefined for an epoch that this member was not in (T-24), and once removed. */
export function findSuccessionPsk(old: GroupState, { pskEpoch }: SuccessionPskId): Bytes | undefined {
  if (old.status === "removed") return undefined;
  return pskEpoch === old.context.epoch ? old.secrets.resumptionPsk : old.resumptionPsks.get(pskEpoch);
}

/** `ERR_MLS_WELCOME` unless the new group is what the PSK says of it (R-12.4.3.1-17 to R-12.4.3.1-19, A-11). */
export function checkSuccession(
  old: GroupState,
  id: SuccessionPskId,
  { context, tree, rules }: { context: GroupContext; tree: RatchetTree; rules: IdentityRules },
): void {
  if (context.epoch !== 1n) {
    throw refused("A reinitialised or branched group starts at epoch 1", "R-12.4.3.1-17");
  }
  if (id.usage === "reinit") checkReinit(old, id, { context, tree, rules });
  else checkBranch(old, id, { context, tree, rules });
}

interface NewGroup {
  readonly context: GroupContext;
  readonly tree: RatchetTree;
  readonly rules: IdentityRules;
}

function checkReinit(old: GroupState, id: SuccessionPskId, { context, tree, rules }: NewGroup): void {
  const { reinit } = old;
  if (reinit === undefined || id.pskEpoch !== old.context.epoch) {
    throw refused("The group that this one replaces was not reinitialised in that epoch", "R-12.4.3.1-18");
  }
  const same =
    equalBytes(context.groupId, reinit.groupId) &&
    context.version === reinit.version &&
    context.cipherSuite === reinit.cipherSuite &&
    equalBytes(encode(extensions, context.extensions), encode(extensions, reinit.extensions));
  if (!same) throw refused("The new group is not the one that the ReInit announced", "R-11.2-2");
  const [members, were] = [new Map(tree.members()), new Map(old.tree.members())];
  if (!isCovered(members, were, rules) || !isCovered(were, members, rules)) {
    throw refused("The new group does not have the old one's members", "R-12.4.3.1-18");
  }
}

function checkBranch(old: GroupState, { pskEpoch }: SuccessionPskId, { context, tree, rules }: NewGroup): void {
  if (context.version !== old.context.version || context.cipherSuite !== old.context.cipherSuite) {
    throw refused("A subgroup has its group's version and cipher suite", "R-11.3-2");
  }
  const were = membersOf(old, pskEpoch);
  if (were === undefined) throw refused("The members of the epoch that was branched from are not known", "R-11.3-3");
  if (!isCovered(new Map(tree.members()), were, rules)) {
    throw refused("The subgroup has a member who was not in the group", "R-11.3-3");
  }
}

/** By leaf index. */
type Members = ReadonlyMap<number, Pick<Identity, "credential">>;

const keyOf = (value: Credential): string => toHex(encode(credential, value));

/**
 * Whether every member of `inner` matches one of `outer`. Most stand where they stood, so these are tried first. The application's
 * own way to compare has to try all pairs for the others.
 */
function isCovered(inner: Members, outer: Members, rules: IdentityRules): boolean {
  const candidates = [...outer.values()].map((member) => member.credential);
  let known: ReadonlySet<string> | undefined;
  return [...inner].every(([index, { credential: own }]) => {
    const sameLeaf = outer.get(index)?.credential;
    if (sameLeaf !== undefined && isSameIdentity(rules, sameLeaf, own)) return true;
    if (rules.authentication.sameIdentity !== undefined) {
      return candidates.some((other) => isSameIdentity(rules, other, own));
    }
    known ??= new Set(candidates.map(keyOf));
    return known.has(keyOf(own));
  });
}
