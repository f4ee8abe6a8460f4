/** What the application may know of an epoch (RFC 9420 §8.5, §8.7) and what others need to join (§12.4.3). */
import { assertBytes } from "@coppice/kit";
import { type Bytes, erase } from "../codec/bytes.ts";
import { type Given, copyOf, encode } from "../codec/codec.ts";
import type { Signer } from "../crypto/signature.ts";
import {
  type Extension,
  externalPub as wireExternalPub,
  extensions as wireExtensions,
  ExtensionType,
  makeExtension,
} from "../extensions/extension.ts";
import { type GroupInfo, ratchetTree, signGroupInfo } from "../framing/group-info.ts";
import { type GroupState, checkSigner, requireActive } from "../state/group-state.ts";
import { withGreaseExtension } from "../extensions/grease.ts";
import { exportSecret as exportFrom } from "../schedule/key-schedule.ts";

/**
 * `MLS-Exporter(label, context, length)` of the current epoch, 0 to 255 · Nh bytes. `ERR_MLS_STATE` once removed (R-8.5-4).
 *
 * @example
 * ```ts run
 * import { equalBytes, exportSecret, utf8 } from "@coppice/core";
 * import { alice, bob } from "./example-group.ts"; // docs/examples
 *
 * const request = { label: "example.org file", context: utf8("plan.pdf"), length: 32 };
 * console.assert(equalBytes(exportSecret(alice.state, request), exportSecret(bob.state, request)));
 * ```
 */
export function exportSecret(
  state: Pick<GroupState, "suite" | "status" | "secrets">,
  request: { label: string; context: Uint8Array; length: number },
): Bytes {
  requireActive(state);
  assertBytes(request.context, "context");
  return exportFrom(state.suite, state.secrets.exporterSecret, request);
}

/** What a GroupInfo holds beside the group context. */
export interface GroupInfoOptions {
  /** Whether it carries the ratchet tree; otherwise joiners need `exportRatchetTree`. Default true. */
  readonly tree?: boolean;
  /** Whether it has `external_pub`, without which nobody can join by external Commit. Default true. */
  readonly externalPub?: boolean;
  /** Further extensions. Default none. */
  readonly extensions?: Given<readonly Extension[]>;
}

/**
 * A signed GroupInfo of the current epoch, with `external_pub` for joins by external Commit (R-12.4.3.2-1). `ERR_MLS_STATE` once the
 * group is closed, and for the signer of another key than that of the own leaf.
 *
 * @example
 * ```ts run
 * import { createGroupInfo, encodeMessage } from "@coppice/core";
 * import { alice } from "./example-group.ts"; // docs/examples
 *
 * const groupInfo = await createGroupInfo(alice.state, alice.signer);
 * const toPublish = encodeMessage({ wireFormat: "mls_group_info", groupInfo });
 * console.assert(toPublish.length > 0);
 * ```
 */
export async function createGroupInfo(
  state: GroupState,
  signer: Signer,
  { tree = true, externalPub = true, extensions: given = [] }: GroupInfoOptions = {},
): Promise<GroupInfo> {
  requireActive(state);
  checkSigner(state, signer);
  const list: Extension[] = [];
  if (externalPub) {
    const { publicKey, privateKey } = await state.suite.hpke.deriveKeyPair(state.secrets.externalSecret);
    erase(privateKey);
    list.push(makeExtension(ExtensionType.externalPub, wireExternalPub, { externalPub: publicKey }));
  }
  if (tree) list.push({ extensionType: ExtensionType.ratchetTree, extensionData: exportRatchetTree(state) });
  const { context: groupContext, confirmationTag, leafIndex } = state;
  const extensions = withGreaseExtension(copyOf(wireExtensions, [...list, ...given]));
  return signGroupInfo({ groupContext, confirmationTag, signer: leafIndex, extensions }, signer);
}

/**
 * The encoded `ratchet_tree` (§12.4.3.3) of an epoch, for those who join with a Welcome or a GroupInfo that does not carry it. For the
 * members that a Commit adds, that is the tree of `staged.next`.
 *
 * @example
 * ```ts run
 * import { createGroupInfo, exportRatchetTree, observeGroup } from "@coppice/core";
 * import { alice, rules, suite } from "./example-group.ts"; // docs/examples
 *
 * const info = await createGroupInfo(alice.state, alice.signer, { tree: false });
 * const ratchetTree = exportRatchetTree(alice.state);
 * console.assert((await observeGroup(info, { suite, rules, ratchetTree })).context.epoch === 1n);
 * ```
 */
export function exportRatchetTree({ tree }: Pick<GroupState, "tree">): Bytes {
  return encode(ratchetTree, tree.toWire());
}
