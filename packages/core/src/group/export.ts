/** What the application may know of an epoch (RFC 9420 §8.5, §8.7) and what others need to join (§12.4.3). */
import type { Bytes } from "../codec/bytes.ts";
import { erase } from "../codec/bytes.ts";
import type { Signer } from "../crypto/signature.ts";
import type { Extension } from "../extension.ts";
import { externalPub, ExtensionType, makeExtension } from "../extension.ts";
import type { GroupInfo } from "../framing/group-info.ts";
import { ratchetTree, signGroupInfo } from "../framing/group-info.ts";
import type { GroupState } from "../group-state.ts";
import { requireActive } from "../group-state.ts";
import { withGreaseExtension } from "../grease.ts";
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
  return exportFrom(state.suite, state.secrets.exporterSecret, request);
}

/**
 * A signed GroupInfo of the current epoch, with `external_pub` for joins by external Commit (R-12.4.3.2-1).
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
  { tree = true }: { readonly tree?: boolean } = {},
): Promise<GroupInfo> {
  requireActive(state);
  const { publicKey, privateKey } = await state.suite.hpke.deriveKeyPair(state.secrets.externalSecret);
  erase(privateKey);
  const extensions: Extension[] = [makeExtension(ExtensionType.externalPub, externalPub, { externalPub: publicKey })];
  if (tree) extensions.push(makeExtension(ExtensionType.ratchetTree, ratchetTree, state.tree.toWire()));
  const { context: groupContext, confirmationTag, leafIndex } = state;
  const content = { groupContext, confirmationTag, signer: leafIndex, extensions: withGreaseExtension(extensions) };
  return signGroupInfo(content, signer);
}
