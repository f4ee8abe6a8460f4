/** What members support and groups require beyond capabilities (draft-ietf-mls-extensions-10 §5). */
import { type Codec, decodeReceived, encode, uint16, vector } from "../../codec/codec.ts";
import { CoppiceError } from "../../errors.ts";
import { type Extension, findExtension } from "../../extensions/extension.ts";
import { DraftProposalType } from "../../framing/proposal.ts";
import type { LeafNode } from "../../tree/leaf-node.ts";
import type { InForce } from "../../tree/leaf-node-validation.ts";
import type { RatchetTree } from "../../tree/ratchet-tree.ts";
import { appDataWithGrease, encodeComponentsWithGrease, readAppData, readComponents } from "./app-data.ts";
import { ComponentId, DraftExtensionType } from "./component.ts";
import { type MediaType, encodeMediaTypes, missingMediaType, readMediaTypes } from "./media-types.ts";

/** `struct { WireFormat wire_formats<V>; } WireFormats;` */
const wireFormats: Codec<readonly number[]> = vector(uint16);

/** What `defaultCapabilities` is given for a client that supports all of the draft. */
export const supported: { readonly extensions: readonly number[]; readonly proposals: readonly number[] } = {
  extensions: Object.values(DraftExtensionType),
  proposals: Object.values(DraftProposalType),
};

/** What a leaf says of a client. */
export interface LeafSupport {
  /** Ids of the application's components; `app_components` and `safe_aad` are always supported (X-4.6-2). */
  readonly components: readonly number[];
  /** Components that use safe AAD. Default: not said. */
  readonly safeAad?: readonly number[];
  /** Media types that the client reads. Default: not said. */
  readonly mediaTypes?: readonly MediaType[];
  /** Wire formats beyond those of RFC 9420. Default: not said. */
  readonly wireFormats?: readonly number[];
  /** Data of components for the leaf. Default none. */
  readonly data?: ReadonlyMap<number, Uint8Array>;
}

/**
 * The extensions of a leaf, for key packages and new groups: what the client supports, with GREASE where the draft has it (X-5.1-2).
 */
export function leafExtensions({
  components,
  safeAad,
  mediaTypes,
  wireFormats: formats,
  data = new Map(),
}: LeafSupport): Extension[] {
  const { appComponents, safeAad: safe, contentMediaTypes } = ComponentId;
  const listed = [appComponents, safe, ...(mediaTypes === undefined ? [] : [contentMediaTypes]), ...components];
  const all = new Map<number, Uint8Array>([...data, [appComponents, encodeComponentsWithGrease(listed)]]);
  if (safeAad !== undefined) all.set(safe, encodeComponentsWithGrease(safeAad));
  if (mediaTypes !== undefined) all.set(contentMediaTypes, encodeMediaTypes(mediaTypes));
  const extensions = [appDataWithGrease(all)];
  if (formats !== undefined) {
    extensions.push(wireFormatsExtension(DraftExtensionType.supportedWireFormats, formats));
  }
  return extensions;
}

const wireFormatsExtension = (extensionType: number, formats: readonly number[]): Extension => ({
  extensionType,
  extensionData: encode(wireFormats, formats),
});

/** The `required_wire_formats` of a group context. */
export const requiredWireFormats = (formats: readonly number[]): Extension =>
  wireFormatsExtension(DraftExtensionType.requiredWireFormats, formats);

/** Wire formats among the extensions of a leaf (`supportedWireFormats`) or a group context (`requiredWireFormats`); none if it has none. */
export function readWireFormats(
  extensions: readonly Extension[],
  extensionType: typeof DraftExtensionType.supportedWireFormats | typeof DraftExtensionType.requiredWireFormats,
): readonly number[] {
  const bytes = findExtension(extensions, extensionType);
  return bytes === undefined ? [] : decodeReceived(wireFormats, bytes);
}

/** `ERR_MLS_CAPABILITIES`: a member lacks what the group's context requires. */
const lacking = (what: string, requirement: string): CoppiceError =>
  new CoppiceError("ERR_MLS_CAPABILITIES", `A member does not support the required ${what}`, { requirement });

/** These are understood by whoever supports the extension (§4.6), listed or not. */
const ALWAYS: readonly number[] = [ComponentId.appComponents, ComponentId.safeAad];

/**
 * Refuses a group whose context requires what a member's leaf does not list: components (X-5-1), components of safe AAD (X-5-2), wire
 * formats (X-5-3), media types (X-6.2-3). And a leaf or a context whose data are malformed (X-4.6-1).
 */
export function checkRequirements(tree: RatchetTree, { extensions }: InForce): void {
  const data = readAppData(extensions);
  const required = {
    components: readComponents(data.get(ComponentId.appComponents)),
    safeAad: readComponents(data.get(ComponentId.safeAad)),
    mediaTypes: readMediaTypes(data.get(ComponentId.contentMediaTypes)),
    wireFormats: readWireFormats(extensions, DraftExtensionType.requiredWireFormats),
  };
  for (const [, leaf] of tree.members()) checkLeaf(leaf, required);
}

function checkLeaf(
  { extensions }: LeafNode,
  required: {
    readonly components: readonly number[];
    readonly safeAad: readonly number[];
    readonly mediaTypes: readonly MediaType[];
    readonly wireFormats: readonly number[];
  },
): void {
  const data = readAppData(extensions);
  const missing = (wanted: readonly number[], list: () => readonly number[]): number | undefined => {
    if (wanted.length === 0) return undefined;
    const listed = new Set(list());
    return wanted.find((id) => !listed.has(id));
  };
  const component = missing(required.components, () => [
    ...ALWAYS,
    ...readComponents(data.get(ComponentId.appComponents)),
  ]);
  if (component !== undefined) throw lacking(`component ${String(component)}`, "X-5-1");
  const aad = missing(required.safeAad, () => readComponents(data.get(ComponentId.safeAad)));
  if (aad !== undefined) throw lacking(`component ${String(aad)} in safe AAD`, "X-5-2");
  const format = missing(required.wireFormats, () =>
    readWireFormats(extensions, DraftExtensionType.supportedWireFormats),
  );
  if (format !== undefined) throw lacking(`wire format ${String(format)}`, "X-5-3");
  if (required.mediaTypes.length === 0) return;
  const type = missingMediaType(required.mediaTypes, readMediaTypes(data.get(ComponentId.contentMediaTypes)));
  if (type !== undefined) throw lacking(`media type ${type.type}`, "X-6.2-3");
}
