/** Application data in MLS messages (draft-ietf-mls-extensions-10 §4.6) and GREASE in it (§5.1). */
import { copyBytes, randomBytes } from "@coppice/kit";
import type { Bytes } from "../../codec/bytes.ts";
import { type Codec, decodeReceived, encode, map, opaque, struct, uint16, vector } from "../../codec/codec.ts";
import { CoppiceError } from "../../errors.ts";
import { type Extension, findExtension } from "../../extensions/extension.ts";
import { DraftExtensionType } from "./component.ts";

/** Data of components by their ids, in ascending order. */
export type AppData = ReadonlyMap<number, Bytes>;

/** `struct { ComponentID component_id; opaque data<V>; } ComponentData;` */
const componentData: Codec<readonly { readonly componentId: number; readonly data: Bytes }[]> = vector(
  struct({ componentId: uint16, data: opaque }),
);

const malformed = (message: string, componentId: number): CoppiceError =>
  new CoppiceError("ERR_MLS_DECODE", message, { requirement: "X-4.6-1", detail: { componentId } });

/** A list with an id in front of each item, as a map: ascending and no id twice, `ERR_MLS_DECODE` with this requirement otherwise. */
export const ascendingById = (
  items: Codec<readonly { readonly componentId: number; readonly data: Bytes }[]>,
  refuse: (message: string, componentId: number) => CoppiceError,
): Codec<AppData> =>
  map(
    items,
    (list): AppData => {
      let last = -1;
      for (const { componentId } of list) {
        if (componentId <= last) throw refuse("Components are not in ascending order, each once", componentId);
        last = componentId;
      }
      return new Map(list.map(({ componentId, data }) => [componentId, data]));
    },
    (data) => [...data].sort(([a], [b]) => a - b).map(([componentId, bytes]) => ({ componentId, data: bytes })),
  );

/** `struct { ComponentData component_data<V>; } AppDataDictionary;` sorted, at most one entry for each id (X-4.6-1). */
export const appDataDictionary: Codec<AppData> = ascendingById(componentData, malformed);

const NOTHING: AppData = new Map();
const known = new WeakMap<Bytes, AppData>();

/**
 * The `app_data_dictionary` among extensions, of a leaf, a key package, a group context or a GroupInfo; empty if there is none. Ids
 * that the application does not know, GREASE among them, are to be passed over (X-5.1-1). `ERR_MLS_DECODE` (X-4.6-1).
 */
export function readAppData(extensions: readonly Extension[]): AppData {
  const bytes = findExtension(extensions, DraftExtensionType.appDataDictionary);
  if (bytes === undefined) return NOTHING;
  // Every Commit holds all leaves against the group's.
  const read = known.get(bytes) ?? decodeReceived(appDataDictionary, bytes);
  known.set(bytes, read);
  return read;
}

/**
 * An `app_data_dictionary` extension of these data. For a group context: leaves, key packages and GroupInfos get GREASE (§5.1),
 * see `appDataWithGrease`.
 *
 * @example
 * ```ts run
 * import { utf8 } from "@coppice/core";
 * import { appData, readAppData } from "@coppice/core/drafts/extensions";
 *
 * const extension = appData(new Map([[0x8001, utf8("blue")]]));
 * console.assert(readAppData([extension]).get(0x8001)?.length === 4);
 * ```
 */
export function appData(data: ReadonlyMap<number, Uint8Array>): Extension {
  const own = new Map([...data].map(([componentId, bytes]) => [componentId, copyBytes(bytes, "data")] as const));
  return {
    extensionType: DraftExtensionType.appDataDictionary,
    extensionData: encode(appDataDictionary, own),
  };
}

/** GREASE values of ComponentIDs: 0x0A0A to 0x7A7A, those outside the private range (§7.5). */
const pickGrease = (): number => 0x0a0a + 0x1010 * ((randomBytes(1)[0] ?? 0) % 8);

/** The same with a random component that nobody knows: for leaves, key packages and GroupInfos, and for those alone (X-5.1-2). */
export function appDataWithGrease(data: ReadonlyMap<number, Uint8Array>): Extension {
  const grease = pickGrease();
  return appData(data.has(grease) ? data : new Map([...data, [grease, randomBytes(4)]]));
}

/** `struct { ComponentID component_ids<V>; } ComponentsList;` */
const componentsList: Codec<readonly number[]> = vector(uint16);

/** The ids of a ComponentsList; none where there is no such data. `ERR_MLS_DECODE`. */
export const readComponents = (data: Bytes | undefined): readonly number[] =>
  data === undefined ? [] : decodeReceived(componentsList, data);

/** A ComponentsList of a group context, without GREASE. */
export const encodeComponents = (ids: readonly number[]): Bytes => encode(componentsList, ids);

/** A ComponentsList of a leaf, with a random id that nobody knows (X-5.1-2). */
export const encodeComponentsWithGrease = (ids: readonly number[]): Bytes =>
  encodeComponents([...new Set([...ids, pickGrease()])]);
