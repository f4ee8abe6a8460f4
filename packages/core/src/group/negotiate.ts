/** What a new group can be, given what its members support (RFC 9420 §11): the creator's part of downgrade protection. */
import { CoppiceError } from "../errors.ts";
import type { GroupContext } from "../schedule/group-context.ts";
import type { Capabilities } from "../extensions/capabilities.ts";

/** What all members of a group to be support. */
export interface NegotiatedGroup {
  /** The newest common version. */
  readonly version: number;
  /** The creator's most preferred common suite. */
  readonly cipherSuite: number;
  /** Types beyond the default ones, in the creator's order: what the group may use. */
  readonly extensions: readonly number[];
  readonly proposals: readonly number[];
  readonly credentials: readonly number[];
}

/**
 * The best group that is possible with these members (R-11-1). `own` are the creator's capabilities, its cipher suites in the
 * order of preference, without GREASE; `others` come from the leaves of key packages, of whichever suite, that were verified:
 * a server that hands out key packages of a weak suite alone cannot hide the better ones that their signed capabilities
 * list. Then ask for key packages of the suite that this returns. `ERR_MLS_CAPABILITIES` if there is none in common.
 *
 * @example
 * ```ts run
 * import { defaultCapabilities, negotiateGroup } from "@coppice/core";
 *
 * const own = defaultCapabilities([7, 1]); // suite 7 if possible
 * console.assert(negotiateGroup(own, [defaultCapabilities([1, 2, 7])]).cipherSuite === 7);
 * console.assert(negotiateGroup(own, [defaultCapabilities([1, 2])]).cipherSuite === 1);
 * ```
 */
export function negotiateGroup(own: Capabilities, others: readonly Capabilities[]): NegotiatedGroup {
  const common = (list: keyof Capabilities): readonly number[] =>
    own[list].filter((value) => others.every((other) => other[list].includes(value)));
  const [cipherSuite] = common("cipherSuites");
  const [version] = [...common("versions")].sort((a, b) => b - a);
  if (cipherSuite === undefined || version === undefined) {
    throw new CoppiceError("ERR_MLS_CAPABILITIES", "The members have no version or cipher suite in common", {
      requirement: "R-11-1",
    });
  }
  const [extensions, proposals, credentials] = [common("extensions"), common("proposals"), common("credentials")];
  return { version, cipherSuite, extensions, proposals, credentials };
}

/**
 * Refuses a group, before its first members are added, whose version or suite is not the best that all of them support:
 * `ERR_MLS_CAPABILITIES` (R-11-2). Arguments as of `negotiateGroup`.
 *
 * @example
 * ```ts run
 * import { checkBestSuite, defaultCapabilities, isCoppiceError } from "@coppice/core";
 * import { alice } from "./example-group.ts"; // docs/examples: a group of suite 1
 *
 * const { context } = alice.state;
 * checkBestSuite(context, defaultCapabilities([7, 1]), [defaultCapabilities([1])]);
 * try {
 *   checkBestSuite(context, defaultCapabilities([7, 1]), [defaultCapabilities([1, 7])]);
 * } catch (error) {
 *   console.assert(isCoppiceError(error, "ERR_MLS_CAPABILITIES") && error.detail["cipherSuite"] === 7);
 * }
 * ```
 */
export function checkBestSuite(
  context: Pick<GroupContext, "version" | "cipherSuite">,
  own: Capabilities,
  others: readonly Capabilities[],
): void {
  const { version, cipherSuite } = negotiateGroup(own, others);
  if (context.version === version && context.cipherSuite === cipherSuite) return;
  throw new CoppiceError("ERR_MLS_CAPABILITIES", "The members have a better version or cipher suite in common", {
    requirement: "R-11-2",
    detail: { version, cipherSuite },
  });
}
