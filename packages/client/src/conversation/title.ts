/**
 * The title of a group. It stands in the group context, where a Commit changes it for all at once, but sealed: the GroupInfo
 * that the Delivery Service keeps has the whole group context. Members have the key from the Welcome they joined by.
 */
import { isCoppiceError, utf8, type Bytes, type CipherSuite, type Extension, type GroupState } from "@coppice/core";
import { randomBytes } from "@coppice/kit";
import { TITLE_EXTENSION } from "../account/authentication.ts";

/** Extension of the GroupInfo in a Welcome with the key, `Nk` bytes. Private use (RFC 9420 §17.3). */
const TITLE_KEY_EXTENSION = 0xf0c2;

/** Bytes of an AEAD's tag (R-5.1-2). */
const TAG_BYTES = 16;

/** All titles are sealed at this length, bytes of UTF-8: the ciphertext says nothing of them. */
const TITLE_BYTES = 128;

/** Every character counts: a title that reads as another one than was sealed would be renamed for ever. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

type Group = Pick<GroupState, "suite" | "context">;

export const newTitleKey = ({ aead }: CipherSuite): Bytes => randomBytes(aead.Nk);

/** The extensions with this title, all others as they are. */
export async function withTitle(
  extensions: readonly Extension[],
  title: string,
  { suite, groupId, key }: { readonly suite: CipherSuite; readonly groupId: Bytes; readonly key: Bytes },
): Promise<readonly Extension[]> {
  const others = extensions.filter(({ extensionType }) => extensionType !== TITLE_EXTENSION);
  if (title === "") return others;
  const padded = new Uint8Array(TITLE_BYTES);
  padded.set(utf8(title));
  const nonce = randomBytes(suite.aead.Nn);
  const sealed = await suite.aead.seal(key, nonce, groupId, padded);
  const extensionData = new Uint8Array(nonce.length + sealed.length);
  extensionData.set(nonce);
  extensionData.set(sealed, nonce.length);
  return [...others, { extensionType: TITLE_EXTENSION, extensionData }];
}

/** The title of a group; empty if it has none, or one that the key does not open. */
export async function titleOf({ suite, context }: Group, key: Bytes | undefined): Promise<string> {
  const data = context.extensions.find(({ extensionType }) => extensionType === TITLE_EXTENSION)?.extensionData;
  const { Nn } = suite.aead;
  if (data?.length !== Nn + TITLE_BYTES + TAG_BYTES || key === undefined) return "";
  try {
    const padded = await suite.aead.open(key, data.slice(0, Nn), context.groupId, data.slice(Nn));
    return decoder.decode(padded).replace(/\0+$/u, "");
  } catch (error) {
    // Any member can put any bytes there.
    if (isCoppiceError(error, "ERR_MLS_AEAD") || error instanceof TypeError) return "";
    throw error;
  }
}

/** What tells the key to those whom a Welcome is for. */
export function titleKeyExtensions(key: Bytes | undefined): readonly Extension[] {
  return key === undefined ? [] : [{ extensionType: TITLE_KEY_EXTENSION, extensionData: key }];
}

/** The key that a Welcome told; undefined if there is none, or nothing of its length. */
export function titleKeyIn(extensions: readonly Extension[], { aead }: CipherSuite): Bytes | undefined {
  const data = extensions.find(({ extensionType }) => extensionType === TITLE_KEY_EXTENSION)?.extensionData;
  return data?.length === aead.Nk ? data : undefined;
}
