/** The option that turns draft-ietf-mls-extensions-10 on. */
import type { Bytes } from "../../codec/bytes.ts";
import { ProposalType } from "../../framing/proposal.ts";
import type { Rules } from "../../rules.ts";
import { readAppData, readComponents } from "./app-data.ts";
import { type Component, appDataUpdateRules, appEphemeralRules, checkContextExtensions } from "./app-data-update.ts";
import { ComponentId } from "./component.ts";
import { readMediaTypes } from "./media-types.ts";
import { checkBindings } from "./multi-credential.ts";
import { checkRequirements, supported } from "./negotiation.ts";
import { readSafeAad, usesSafeAad } from "./safe-aad.ts";
import { selfRemove } from "./self-remove.ts";

/** What an application brings to the draft. */
export interface ExtensionOptions {
  /**
   * Those whose proposals the group may have. What a group requires (`app_components`, `safe_aad`, `content_media_types`) is known
   * without: an update of it is the new list.
   */
  readonly components: readonly Component[];
}

/** A component whose update is its new value, if `check` does not refuse it. */
const replacing = (componentId: number, check: (data: Bytes) => unknown): Component => ({
  componentId,
  update: ({ updates }) => {
    for (const { update } of updates) check(update);
    const last = updates.at(-1);
    if (last === undefined) throw new RangeError("A component is asked about at least one update");
    return last.update;
  },
});

const OF_THE_DRAFT: readonly Component[] = [
  replacing(ComponentId.appComponents, readComponents),
  replacing(ComponentId.safeAad, readComponents),
  replacing(ComponentId.contentMediaTypes, readMediaTypes),
];

/**
 * Rules with the extensions of the draft: AppDataUpdate, AppEphemeral, SelfRemove, the exporter tree, safe AAD, and what groups
 * require of members. All members of a group need them, and list `supported` in their capabilities and `leafExtensions` in their
 * leaves. Groups that use nothing of the draft go on as they were.
 *
 * @example
 * ```ts run
 * import { withExtensions } from "@coppice/core/drafts/extensions";
 * import { rules } from "./example-group.ts"; // docs/examples
 *
 * const extended = withExtensions(rules, { components: [] });
 * console.assert(extended.exporterTree === true && extended.supportedExtensions.includes(6));
 * ```
 */
export function withExtensions(rules: Rules, { components }: ExtensionOptions): Rules {
  const known = new Map([...OF_THE_DRAFT, ...components].map((component) => [component.componentId, component]));
  return {
    ...rules,
    supportedExtensions: [...rules.supportedExtensions, ...supported.extensions],
    proposalTypes: [...rules.proposalTypes, appDataUpdateRules(known), appEphemeralRules(known), selfRemove],
    exporterTree: true,
    checkMembers: (tree, context) => {
      rules.checkMembers?.(tree, context);
      checkRequirements(tree, context);
      checkBindings(tree);
    },
    checkProposals: (request) => {
      rules.checkProposals?.(request);
      checkContextExtensions(request.proposals, request.context);
      for (const { proposal } of request.proposals) {
        if (proposal.proposalType === ProposalType.add) readAppData(proposal.keyPackage.extensions);
      }
    },
    checkMessage: (message) => {
      rules.checkMessage?.(message);
      if (usesSafeAad(message.context)) readSafeAad(message.authenticatedData);
    },
  };
}
