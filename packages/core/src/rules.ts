/**
 * What the application decides. Each room says what it asks: authentication (RFC 9420 §5.3.1), lifetimes of leaves (§7.3), policy and
 * types of proposals (§12). The rest is asked by those who make and process Commits and messages.
 */

import { type Padding, padme } from "./framing/padding.ts";
import type { MessageRules } from "./framing/protect.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import type { PolicyRules } from "./proposal/policy.ts";
import type { ProposalRules } from "./proposal/validate-list.ts";
import type { PreSharedKeyId } from "./schedule/psk.ts";
import type { LeafNodeRules } from "./tree/leaf-node-validation.ts";

/**
 * The decisions that MLS leaves to the application. See `makeRules`. A hook that may refuse does so by throwing, and agrees by
 * resolving with undefined: one that resolves with `false`, or with anything else, refuses too.
 */
export interface Rules extends LeafNodeRules, MessageRules, ProposalRules, PolicyRules {
  /**
   * The value of a pre-shared key other than this group's own resumption PSKs; undefined if it is not known. What it throws is passed
   * on, and a `TypeError` for anything but bytes: a store that fails is no reason to make a Commit without the key.
   */
  readonly findPsk: (id: PreSharedKeyId) => Promise<Uint8Array | undefined>;
  /** Types that this client supports beyond the default ones; what it advertises in capabilities. */
  readonly supportedExtensions: readonly number[];
  /**
   * Whether states keep an exporter tree of their epoch, for `safeExportSecret` of `@coppice/core/drafts/extensions`. From the next
   * epoch on. Default false.
   */
  readonly exporterTree?: boolean;
  /** How application messages are padded, to hide their length (R-15.1-1). Default `padme`. */
  readonly padding: Padding;
}

/** 84 days and an hour of clock skew. */
export const DEFAULT_MAX_LIFETIME_SECONDS: bigint = 84n * 86_400n + 3600n;

/**
 * Rules with safe defaults for all that is not given. An authentication service has no default: who may be who is for the
 * application to say.
 *
 * @example
 * ```ts run
 * import { DEFAULT_LIMITS, makeRules } from "@coppice/core";
 *
 * const rules = makeRules({
 *   authentication: { validate: () => Promise.resolve() }, // trusts everybody: ask your directory instead
 *   now: () => BigInt(Math.floor(Date.now() / 1000)),
 *   limits: { ...DEFAULT_LIMITS, treeLeaves: 1024 },
 * });
 * console.assert(rules.lifetime.checkOnReceive);
 * ```
 */
export function makeRules(given: Partial<Rules> & Pick<Rules, "authentication" | "now">): Rules {
  return {
    lifetime: { maxSeconds: DEFAULT_MAX_LIFETIME_SECONDS, checkOnReceive: true },
    allowProposals: () => Promise.resolve(),
    allowOutsideProposal: ({ sender }) =>
      sender.senderType === "external" ? Promise.resolve() : Promise.reject(new Error("No member asked for it")),
    findPsk: () => Promise.resolve(undefined),
    supportedExtensions: [],
    proposalTypes: [],
    padding: padme,
    limits: DEFAULT_LIMITS,
    ...given,
  };
}
