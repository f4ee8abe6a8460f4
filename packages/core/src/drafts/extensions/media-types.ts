/** Content advertisement (draft-ietf-mls-extensions-10 §6.2): which media types members read, and which one a message is. */
import { type Bytes, utf8 } from "../../codec/bytes.ts";
import {
  type Codec,
  type Given,
  copyOf,
  decodeReceived,
  encode,
  map,
  opaque,
  struct,
  vector,
} from "../../codec/codec.ts";
import { CoppiceError } from "../../errors.ts";
import type { GroupContext } from "../../schedule/group-context.ts";
import { readAppData } from "./app-data.ts";
import { ComponentId } from "./component.ts";

/** A media type, as IANA registers them. Values of parameters are without the quotes and backslashes of a text. */
export interface MediaType {
  /** `image/png`, say; empty in a framing for the group's first one. */
  readonly type: string;
  readonly parameters: readonly { readonly name: string; readonly value: string }[];
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const invalid = (message: string, requirement: string, cause?: unknown): CoppiceError =>
  new CoppiceError("ERR_MLS_DECODE", message, { requirement, cause });

const text: Codec<string> = map(
  opaque,
  (bytes) => {
    try {
      return decoder.decode(bytes);
    } catch (cause) {
      throw invalid("A media type is not UTF-8", "X-6.2-1", cause);
    }
  },
  utf8,
);

/** `struct { opaque type<V>; Parameter parameters<V>; } MediaType;` with `struct { opaque parameter_name<V>; opaque parameter_value<V>; } Parameter;` */
const mediaType: Codec<MediaType> = struct({ type: text, parameters: vector(struct({ name: text, value: text })) });

/** `struct { MediaType media_type_list<V>; } MediaTypeList;` of one or more (X-6.2-1). */
const mediaTypeList: Codec<readonly MediaType[]> = map(vector(mediaType), notEmpty, notEmpty);

function notEmpty(list: readonly MediaType[]): readonly MediaType[] {
  if (list.length === 0) throw invalid("A list of media types is empty", "X-6.2-1");
  return list;
}

/** The data of `content_media_types`, in a leaf or a group context. */
export const encodeMediaTypes = (types: readonly MediaType[]): Bytes => encode(mediaTypeList, types);

/** Reads them; none where there is no such data. `ERR_MLS_DECODE` (X-6.2-1). */
export const readMediaTypes = (data: Bytes | undefined): readonly MediaType[] =>
  data === undefined ? [] : decodeReceived(mediaTypeList, data);

/** `struct { MediaType media_type; opaque inner_application_content<V>; } ApplicationFraming;` */
const applicationFraming: Codec<{ mediaType: MediaType; content: Bytes }> = struct({ mediaType, content: opaque });

/** Content with its media type. */
export interface TypedContent {
  /** Undefined in a group that does not frame its application data. */
  readonly mediaType: MediaType | undefined;
  readonly content: Bytes;
}

/**
 * The application data of a message in a group whose context has `content_media_types`. Without a media type: the group's first one.
 *
 * @example
 * ```ts run
 * import { utf8 } from "@coppice/core";
 * import { appData, ComponentId, encodeMediaTypes, frameContent, readContent } from "@coppice/core/drafts/extensions";
 *
 * const text = { type: "text/plain", parameters: [{ name: "charset", value: "UTF-8" }] };
 * const extensions = [appData(new Map([[ComponentId.contentMediaTypes, encodeMediaTypes([text])]]))];
 * const read = readContent({ extensions }, frameContent({ content: utf8("hello") }));
 * console.assert(read.mediaType?.type === "text/plain");
 * ```
 */
export function frameContent({
  mediaType: type = { type: "", parameters: [] },
  content,
}: {
  readonly mediaType?: MediaType;
  readonly content: Uint8Array;
}): Bytes {
  const given: Given<{ mediaType: MediaType; content: Bytes }> = { mediaType: type, content };
  return encode(applicationFraming, copyOf(applicationFraming, given));
}

/**
 * What a message of a group says, by its context: framed, or as it is. `ERR_MLS_DECODE` (X-6.2-2) for data that are not framed where
 * they should be.
 */
export function readContent({ extensions }: Pick<GroupContext, "extensions">, data: Uint8Array): TypedContent {
  const required = readAppData(extensions).get(ComponentId.contentMediaTypes);
  if (required === undefined) return { mediaType: undefined, content: new Uint8Array(data) };
  let framed: TypedContent & { readonly mediaType: MediaType };
  try {
    framed = decodeReceived(applicationFraming, data);
  } catch (cause) {
    throw invalid("The application data are not framed", "X-6.2-2", cause);
  }
  const [first] = readMediaTypes(required);
  return framed.mediaType.type === "" ? { ...framed, mediaType: first } : framed;
}

const keyOf = (type: MediaType): string => {
  const parameters = type.parameters.map(({ name, value }) => [name.toLowerCase(), value]);
  return JSON.stringify([type.type.toLowerCase(), parameters.sort(([a = ""], [b = ""]) => (a < b ? -1 : 1))]);
};

/** The first required media type that is not among the supported ones; types and names of parameters without regard to case. */
export function missingMediaType(
  required: readonly MediaType[],
  supported: readonly MediaType[],
): MediaType | undefined {
  const known = new Set(supported.map(keyOf));
  return required.find((type) => !known.has(keyOf(type)));
}
