/** Components of an application (draft-ietf-mls-extensions-10 §4.1): who they are and how their labels keep them apart. */
import { type Bytes, utf8 } from "../../codec/bytes.ts";
import { type Codec, encode, opaque, struct, uint16 } from "../../codec/codec.ts";

/** Component IDs that the draft registers (§7.5); 0x8000 to 0xffff are for private use. */
export const ComponentId = {
  appComponents: 0x0001,
  safeAad: 0x0002,
  contentMediaTypes: 0x0003,
  lastResortKeyPackage: 0x0004,
  appAck: 0x0005,
} as const;

/** Extension types of the draft, as §7.1 suggests their numbers. */
export const DraftExtensionType = {
  appDataDictionary: 0x0006,
  supportedWireFormats: 0x0007,
  requiredWireFormats: 0x0008,
} as const;

/** What a component does under a label of its own. */
export interface ComponentOperation {
  /** uint16 */
  readonly componentId: number;
  readonly label: string;
}

/** `struct { opaque base_label<V>; ComponentID component_id; opaque label<V>; } ComponentOperationLabel;` */
const operationLabel: Codec<{ baseLabel: Bytes; componentId: number; label: Bytes }> = struct({
  baseLabel: opaque,
  componentId: uint16,
  label: opaque,
});

const BASE_LABEL = utf8("MLS Component");

/**
 * The encoded `ComponentOperationLabel`: the `info` of any HPKE operation of a component (§4.2).
 *
 * @example
 * ```ts run
 * import { componentLabel } from "@coppice/core/drafts/extensions";
 *
 * console.assert(componentLabel({ componentId: 0x8001, label: "file" }).length === 1 + 13 + 2 + 1 + 4);
 * ```
 */
export function componentLabel({ componentId, label }: ComponentOperation): Bytes {
  return encode(operationLabel, { baseLabel: BASE_LABEL, componentId, label: utf8(label) });
}
