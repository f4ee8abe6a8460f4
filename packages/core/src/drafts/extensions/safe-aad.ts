/** Safe additional authenticated data (draft-ietf-mls-extensions-10 §4.9): what components add to messages side by side. */
import { copyBytes } from "@coppice/kit";
import type { Bytes } from "../../codec/bytes.ts";
import { type Codec, decodeReceived, encode, opaque, struct, uint16, vector } from "../../codec/codec.ts";
import { CoppiceError, isCoppiceError } from "../../errors.ts";
import type { GroupContext } from "../../schedule/group-context.ts";
import { type AppData, ascendingById, readAppData } from "./app-data.ts";
import { ComponentId } from "./component.ts";

const malformed = (message: string, componentId: number): CoppiceError =>
  new CoppiceError("ERR_MLS_DECODE", message, { requirement: "X-4.9-1", detail: { componentId } });

/** `struct { SafeAADItem aad_items<V>; } SafeAAD;` with `struct { ComponentID component_id; opaque aad_item_data<V>; } SafeAADItem;` */
const safeAad: Codec<AppData> = ascendingById(vector(struct({ componentId: uint16, data: opaque })), malformed);

/** Whether the authenticated data of a group's messages are framed: its context has `safe_aad`, with an empty list too. */
export const usesSafeAad = ({ extensions }: Pick<GroupContext, "extensions">): boolean =>
  readAppData(extensions).has(ComponentId.safeAad);

/**
 * The `authenticatedData` of a message in a group that uses safe AAD: what each component adds, by its id. Nothing to add is an empty
 * map, not empty data.
 *
 * @example
 * ```ts run
 * import { utf8 } from "@coppice/core";
 * import { encodeSafeAad, readSafeAad } from "@coppice/core/drafts/extensions";
 *
 * const authenticatedData = encodeSafeAad(new Map([[0x8001, utf8("urgent")]]));
 * console.assert(readSafeAad(authenticatedData).get(0x8001)?.length === 6);
 * console.assert(encodeSafeAad(new Map()).length === 1);
 * ```
 */
export const encodeSafeAad = (items: ReadonlyMap<number, Uint8Array>): Bytes =>
  encode(safeAad, new Map([...items].map(([id, data]) => [id, copyBytes(data, "data")])));

/** What components added to a message: `ERR_MLS_DECODE` (X-4.9-1) for what is no SafeAAD. Ids that are not known are to be passed over. */
export function readSafeAad(authenticatedData: Uint8Array): AppData {
  try {
    return decodeReceived(safeAad, authenticatedData);
  } catch (cause) {
    if (isCoppiceError(cause) && cause.requirement === "X-4.9-1") throw cause;
    throw new CoppiceError("ERR_MLS_DECODE", "The authenticated data are no SafeAAD", {
      requirement: "X-4.9-1",
      cause,
    });
  }
}
