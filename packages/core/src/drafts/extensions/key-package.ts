/** Key packages of last resort (draft-ietf-mls-extensions-10 §6.4), and other data of components in key packages. */
import { EMPTY } from "../../codec/bytes.ts";
import type { Extension } from "../../extensions/extension.ts";
import type { KeyPackage } from "../../framing/key-package.ts";
import { appDataWithGrease, readAppData } from "./app-data.ts";
import { ComponentId } from "./component.ts";

/**
 * The extensions of a key package that may be used more than once, when no other is left.
 *
 * @example
 * ```ts run
 * import { createKeyPackage, defaultCapabilities } from "@coppice/core";
 * import { isLastResort, lastResort, leafExtensions, supported } from "@coppice/core/drafts/extensions";
 * import { alice, lifetime, suite } from "./example-group.ts"; // docs/examples
 *
 * const { credential, signer } = alice;
 * const { keyPackage } = await createKeyPackage({
 *   ...{ suite, credential, signer, lifetime },
 *   capabilities: defaultCapabilities([suite.id], supported),
 *   leafExtensions: leafExtensions({ components: [] }),
 *   extensions: lastResort(),
 * });
 * console.assert(isLastResort(keyPackage));
 * ```
 */
export const lastResort = (data: ReadonlyMap<number, Uint8Array> = new Map()): Extension[] => [
  appDataWithGrease(new Map([...data, [ComponentId.lastResortKeyPackage, EMPTY]])),
];

/** Whether a key package is marked as one of last resort. `ERR_MLS_DECODE` for malformed data. */
export const isLastResort = ({ extensions }: Pick<KeyPackage, "extensions">): boolean =>
  readAppData(extensions).has(ComponentId.lastResortKeyPackage);
