/** Proposal types of the application (RFC 9420 §12.3, §17.4): each says what it may do and where it fits. */
import type { Bytes } from "../codec/bytes.ts";
import { type Codec, type Given, copyOf, decode, encode } from "../codec/codec.ts";
import { CoppiceError } from "../errors.ts";
import { type Extension, extensions as wireExtensions } from "../extensions/extension.ts";
import type { Sender } from "../framing/framed-content.ts";
import { type CustomProposal, type Proposal, isCustomType } from "../framing/proposal.ts";
import { isGrease } from "../extensions/grease.ts";
import type { RatchetTree } from "../tree/ratchet-tree.ts";

/** A custom proposal with who sent it. */
export interface SentCustomProposal {
  readonly proposal: CustomProposal;
  readonly sender: Sender;
}

/** What the hook of a proposal type works on, at its place in the order of application. */
interface Applying {
  /** Members as they are at this place. */
  readonly tree: RatchetTree;
  /** Extensions of the group context as they are at this place. */
  readonly extensions: readonly Extension[];
}

/** What a proposal type of the application is, and what its proposals do. */
export interface ProposalTypeDefinition<T> {
  /** 8 to 65,535, and no GREASE value; 0xf000 to 0xffff are for private use. Members list it in their capabilities. */
  readonly customType: number;
  /** How the body is encoded. */
  readonly body: Codec<T>;
  /** Whether the group's external senders may propose it, not its members alone (R-12.1.8-3). */
  readonly external: boolean;
  /** Whether a Commit that covers it needs an update path (R-12.4-7). */
  readonly pathRequired: boolean;
  /**
   * When it takes effect. `first`: after GroupContextExtensions, so that Updates and Adds are judged by the extensions that it
   * leaves. `last`: after Removes and Adds, so that it sees who is a member. `end`: after those of `last`. Types of one place go by
   * their number.
   */
  readonly order: "first" | "last" | "end";
  /** Whether one who joins by external Commit may bring it along. Default false. */
  readonly externalCommit?: boolean;
  /**
   * Called once for each Commit, with all its proposals of this type in the order of the Commit. Throws if they do not fit
   * together, and returns the extensions that the group context is to have: `extensions` if they do not change. All members
   * must come to the same result, so it may depend on nothing but the request. Default: nothing changes, and the application
   * learns from the Commit's effect that the proposals were covered.
   */
  readonly apply?: (
    request: Applying & { readonly proposals: readonly { readonly body: T; readonly sender: Sender }[] },
  ) => Given<readonly Extension[]> | Promise<Given<readonly Extension[]>>;
}

/** A proposal type as `Rules` have it, whatever its body is. */
export interface ProposalTypeRules extends Pick<
  ProposalTypeDefinition<never>,
  "customType" | "external" | "externalCommit" | "pathRequired" | "order"
> {
  /**
   * Whether it removes its sender, as SelfRemove of draft-ietf-mls-extensions does: by reference alone, as a public message, and
   * in an external Commit too. Default false.
   */
  readonly removesSender?: boolean;
  /** `ERR_MLS_PROPOSAL` for a body that cannot be decoded. */
  readonly check: (data: Bytes) => void;
  /** The extensions that the proposals leave; whatever the definition throws is the cause of an `ERR_MLS_PROPOSAL` (R-12.3-4). */
  readonly apply: (
    request: Applying & { readonly proposals: readonly SentCustomProposal[] },
  ) => Promise<readonly Extension[]>;
}

/** A proposal type that is ready to use. */
export interface CustomProposalType<T> extends ProposalTypeRules {
  /** A proposal of this type, to send or to commit. */
  readonly propose: (body: T) => CustomProposal;
  /** The body of a proposal of this type; undefined for any other. */
  readonly read: (proposal: Proposal) => T | undefined;
}

/**
 * Defines a proposal type for `makeRules`. All members need the same definition, and list the type in their capabilities:
 * a Commit that covers it is refused as long as one does not (R-12.2-13).
 *
 * @example
 * ```ts run
 * import { codec, createCommit, defineProposalType, isCoppiceError } from "@coppice/core";
 * import { alice, rules } from "./example-group.ts"; // docs/examples
 *
 * const poll = defineProposalType({
 *   customType: 0xf001,
 *   body: codec.struct({ question: codec.opaque }),
 *   external: false,
 *   pathRequired: false,
 *   order: "last",
 * });
 * const options = { rules: { ...rules, proposalTypes: [poll] }, signer: alice.signer };
 * const proposals = [poll.propose({ question: new TextEncoder().encode("tea?") })];
 * try {
 *   await createCommit(alice.state, { ...options, proposals });
 * } catch (error) {
 *   // Bob's capabilities do not list the type.
 *   console.assert(isCoppiceError(error, "ERR_MLS_PROPOSAL_LIST"));
 * }
 * ```
 */
export function defineProposalType<T>(definition: ProposalTypeDefinition<T>): CustomProposalType<T> {
  const { customType, body, external, externalCommit = false, pathRequired, order, apply } = definition;
  if (!isCustomType(customType) || isGrease(customType)) {
    throw new RangeError(`${String(customType)} cannot be the type of a custom proposal`);
  }
  const refusal = (cause: unknown): CoppiceError =>
    new CoppiceError("ERR_MLS_PROPOSAL", `A proposal of type ${String(customType)} is not valid`, {
      requirement: "R-12.3-4",
      detail: { proposalType: customType },
      cause,
    });
  const bodyOf = (data: Bytes): T => {
    try {
      return decode(body, data);
    } catch (cause) {
      throw refusal(cause);
    }
  };
  return {
    customType,
    external,
    externalCommit,
    pathRequired,
    order,
    check: bodyOf,
    apply: async ({ proposals, ...at }) => {
      if (apply === undefined) return at.extensions;
      const sent = proposals.map(({ proposal, sender }) => ({ body: bodyOf(proposal.data), sender }));
      try {
        const left = await apply({ ...at, proposals: sent });
        return left === at.extensions ? at.extensions : copyOf(wireExtensions, left);
      } catch (cause) {
        throw refusal(cause);
      }
    },
    propose: (value) => ({ proposalType: "custom", customType, data: encode(body, value) }),
    read: (proposal) =>
      proposal.proposalType === "custom" && proposal.customType === customType ? bodyOf(proposal.data) : undefined,
  };
}

/** Whether a proposal removes its sender: a SelfRemove. */
export const removesSender = (proposal: Proposal, types: readonly ProposalTypeRules[]): boolean =>
  proposal.proposalType === "custom" &&
  types.some((type) => type.customType === proposal.customType && type.removesSender === true);

/** The definition of a proposal's type; `ERR_MLS_PROPOSAL` if there is none, as for any unsupported type (R-13.5-3). */
export function rulesOf({ customType }: CustomProposal, types: readonly ProposalTypeRules[]): ProposalTypeRules {
  const found = types.find((type) => type.customType === customType);
  if (found !== undefined) return found;
  throw new CoppiceError("ERR_MLS_PROPOSAL", `Proposal type ${String(customType)} is not supported`, {
    requirement: "R-13.5-3",
    detail: { proposalType: customType },
  });
}
