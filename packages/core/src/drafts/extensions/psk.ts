/** Pre-shared keys of components (draft-ietf-mls-extensions-10 §4.5). */
import { copyBytes, randomBytes } from "@coppice/kit";
import type { CipherSuite } from "../../crypto/cipher-suite.ts";
import { type PreSharedKeyProposal, ProposalType } from "../../framing/proposal.ts";

/**
 * Proposes to mix a component's pre-shared key into the next epoch: all members get it from their `rules.findPsk`, asked for an id
 * with `pskType` `application`, or cannot follow. So they agree on it, be it a key, a password or the hash of a file.
 *
 * @example
 * ```ts run
 * import { adoptCommit, createCommit, processMessage, utf8 } from "@coppice/core";
 * import { proposePsk } from "@coppice/core/drafts/extensions";
 * import { alice, bob, rules as plain, suite } from "./example-group.ts"; // docs/examples
 *
 * const rules = {
 *   ...plain,
 *   findPsk: (id) => Promise.resolve(id.pskType === "application" ? utf8("correct horse battery staple") : undefined),
 * } satisfies typeof plain;
 * const proposals = [proposePsk(suite, 0x8001, utf8("password"))];
 * const made = await createCommit(alice.state, { rules, signer: alice.signer, proposals });
 * await processMessage(bob.state, made.staged.commit, { rules }); // ERR_MLS_CONFIRMATION with another password
 * console.assert(adoptCommit(made.state, made.staged, rules).state.context.epoch === 2n);
 * ```
 */
export const proposePsk = ({ hash }: CipherSuite, componentId: number, pskId: Uint8Array): PreSharedKeyProposal => ({
  proposalType: ProposalType.psk,
  psk: { pskType: "application", componentId, pskId: copyBytes(pskId, "pskId"), pskNonce: randomBytes(hash.Nh) },
});
