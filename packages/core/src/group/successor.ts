/** Making a group that succeeds another one: reinitialisation (RFC 9420 §11.2) and subgroup branching (§11.3). */
import { randomBytes } from "@coppice/kit";
import { type Bytes, erase } from "../codec/bytes.ts";
import type { Given } from "../codec/codec.ts";
import { adoptCommit, createFirstCommit } from "../commit/create.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { CoppiceError } from "../errors.ts";
import type { Extension } from "../extensions/extension.ts";
import { ProposalType } from "../framing/proposal.ts";
import { type GroupState, requireActive } from "../state/group-state.ts";
import type { KeyPackage } from "../framing/key-package.ts";
import { type CreateGroupOptions, createGroup } from "./create.ts";
import { type SuccessionPskId, checkSuccession } from "./succession.ts";

/** Who makes the new group, and whom it is for. */
export interface SuccessorOptions extends Omit<CreateGroupOptions, "suite" | "groupId" | "extensions"> {
  /** Of the other members, fresh ones. */
  readonly keyPackages: readonly Given<KeyPackage>[];
  /** Whether the Welcome carries the ratchet tree. Default true. */
  readonly treeInWelcome?: boolean;
  /** Whether the creator's keys are refreshed by a path at once. Default false. */
  readonly forcePath?: boolean;
}

/** What a ReInit leaves open. */
export interface ReinitOptions extends SuccessorOptions {
  /** The suite that the ReInit names. */
  readonly suite: CipherSuite;
}

/** What a branch may choose. */
export interface BranchOptions extends SuccessorOptions {
  /** Default: `Nh` random bytes. */
  readonly groupId?: Uint8Array;
  /** Of the new group's context. Default none. */
  readonly extensions?: Given<readonly Extension[]>;
}

/** A group that succeeds another one. */
export interface Successor {
  /** The creator's state in it, at epoch 1. */
  readonly state: GroupState;
  /** Encoded `MLSMessage` for the other members. */
  readonly welcome: Bytes;
  /** Encoded `MLSMessage`: the Commit from epoch 0 to 1, for a Delivery Service that keeps the log. Nobody processes it. */
  readonly commit: Bytes;
}

/**
 * Makes the group that a ReInit announced, with the old one's members (§11.2). Any of them may do so; the old group
 * stays as it is, closed. `ERR_MLS_STATE` if the group was not reinitialised, `ERR_MLS_VERSION` for another suite than the
 * ReInit's, `ERR_MLS_WELCOME` if somebody is missing or new (R-12.4.1-13), and the codes of `createCommit`.
 *
 * @example
 * ```ts run
 * import { adoptCommit, createCommit, joinGroup, processMessage, ProposalType } from "@coppice/core";
 * import { randomBytes, reinitGroup } from "@coppice/core";
 * import { alice, bob, capabilities, lifetime, makeKeyPackage, rules, suite } from "./example-group.ts"; // docs/examples
 *
 * // Suite 1 again, but a new group: for another suite, everybody makes a key package of that suite.
 * const { reinit } = ProposalType;
 * const announced = { proposalType: reinit, groupId: randomBytes(32), version: 1, cipherSuite: 1, extensions: [] } as const;
 * const closing = await createCommit(alice.state, { rules, signer: alice.signer, proposals: [announced] });
 * const alicesOld = adoptCommit(closing.state, closing.staged, rules).state;
 * const bobsOld = (await processMessage(bob.state, closing.staged.commit, { rules })).state;
 *
 * const bobsPackage = await makeKeyPackage(bob);
 * const { credential, signer } = alice;
 * const { state, welcome } = await reinitGroup(alicesOld, {
 *   ...{ suite, rules, credential, signer, capabilities, lifetime },
 *   keyPackages: [bobsPackage.keyPackage],
 * });
 * const joined = await joinGroup(welcome, {
 *   ...{ suite, rules, keyPackage: bobsPackage },
 *   findGroup: () => bobsOld,
 * });
 * console.assert(joined.state.context.epoch === 1n && state.context.epoch === 1n);
 * ```
 */
export async function reinitGroup(old: GroupState, options: ReinitOptions): Promise<Successor> {
  const { reinit } = old;
  if (old.status !== "reinitialised" || reinit === undefined) {
    throw new CoppiceError("ERR_MLS_STATE", "The group was not reinitialised: commit a ReInit first", {
      requirement: "R-11.2-1",
      detail: { status: old.status },
    });
  }
  if (options.suite.id !== reinit.cipherSuite) {
    throw new CoppiceError("ERR_MLS_VERSION", "The ReInit names another cipher suite", {
      requirement: "R-11.2-2",
      detail: { announced: reinit.cipherSuite, given: options.suite.id },
    });
  }
  const { groupId, extensions } = reinit;
  return createSuccessor(old, "reinit", { ...options, groupId, extensions });
}

/**
 * Makes a group of some of the members (§11.3), with fresh key packages of theirs, that only those can join who were in this
 * one. `ERR_MLS_STATE` unless the group is active, `ERR_MLS_WELCOME` for somebody who is not a member, and the codes of
 * `createCommit`.
 *
 * @example
 * ```ts run
 * import { branchGroup, joinGroup } from "@coppice/core";
 * import { alice, bob, capabilities, lifetime, makeKeyPackage, rules, suite } from "./example-group.ts"; // docs/examples
 *
 * const keyPackage = await makeKeyPackage(bob);
 * const { credential, signer } = alice;
 * const { welcome } = await branchGroup(alice.state, {
 *   ...{ rules, credential, signer, capabilities, lifetime },
 *   keyPackages: [keyPackage.keyPackage],
 * });
 * const joined = await joinGroup(welcome, {
 *   ...{ suite, rules, keyPackage },
 *   findGroup: () => bob.state,
 * });
 * console.assert(joined.state.context.epoch === 1n);
 * ```
 */
export async function branchGroup(old: GroupState, options: BranchOptions): Promise<Successor> {
  requireActive(old);
  return createSuccessor(old, "branch", { ...options, suite: old.suite });
}

/** Epoch 0 with the creator alone, then the Commit that adds the others and brings in the PSK (R-11.2-3, R-11.3-1). */
async function createSuccessor(
  old: GroupState,
  usage: SuccessionPskId["usage"],
  options: SuccessorOptions & CreateGroupOptions,
): Promise<Successor> {
  const { rules, signer, suite, keyPackages } = options;
  const { groupId: pskGroupId, epoch: pskEpoch } = old.context;
  const id: SuccessionPskId = {
    pskType: "resumption",
    usage,
    pskGroupId,
    pskEpoch,
    pskNonce: randomBytes(suite.hash.Nh),
  };
  const founded = await createGroup(options);
  const { treeInWelcome = true, forcePath = false } = options;
  const made = await createFirstCommit(
    founded,
    {
      rules,
      signer,
      treeInWelcome,
      forcePath,
      proposals: keyPackages.map((keyPackage) => ({ proposalType: ProposalType.add, keyPackage })),
    },
    { id, psk: old.secrets.resumptionPsk },
  );
  const { commit, welcome } = made.staged;
  if (welcome === undefined) throw new TypeError("A group that succeeds another one has at least two members");
  const { state, consumed } = adoptCommit(made.state, made.staged, rules);
  checkSuccession(old, id, { context: state.context, tree: state.tree, rules });
  erase(...made.consumed, ...consumed);
  return { state, welcome, commit };
}
