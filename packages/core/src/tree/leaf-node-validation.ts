/** Leaf node validation (RFC 9420 §7.3): one leaf by itself, and all leaves of a tree together. */
import { describe } from "@coppice/kit";
import { toHex } from "../codec/bytes.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { type CoppiceErrorOptions, CoppiceError } from "../errors.ts";
import { type Extension, findRequiredCapabilities } from "../extensions/extension.ts";
import {
  type Identity,
  type IdentityRules,
  type ValidationMoment,
  checkIdentityKept,
  validateCredential,
} from "../identity/authentication.ts";
import { missingCapability, missingExtension, MLS10, UNUSABLE_SIGNATURE_KEY } from "../extensions/capabilities.ts";
import { type LeafNode, type LeafNodePlace, type LeafNodeSource, verifyLeafNodeSignature } from "./leaf-node.ts";
import type { RatchetTree } from "./ratchet-tree.ts";

/** The part of `Rules` that leaves are validated by. */
export interface LeafNodeRules extends IdentityRules {
  /** Seconds since 1970. */
  readonly now: () => bigint;
  readonly lifetime: {
    /**
     * Longest `not_after - not_before` of a key package, in seconds (R-7.2-8). Of every leaf, made or received, whether or not
     * the time is checked. For peers whose key packages never expire, `2n ** 64n`.
     */
    readonly maxSeconds: bigint;
    /** Whether the time must be within the lifetime of a received leaf (R-7.3-8); within that of one being sent it always must. */
    readonly checkOnReceive: boolean;
  };
  /**
   * What an extension of the protocol asks of the members and extensions of an epoch beyond RFC 9420, before it is entered: throws
   * to refuse them. Default nothing.
   */
  readonly checkMembers?: (tree: RatchetTree, context: InForce) => void;
}

/** The extensions of a group's context. */
export interface InForce {
  readonly extensions: readonly Extension[];
}

export interface LeafNodeCheck {
  readonly leaf: LeafNode;
  /** The source that is allowed here; undefined in a tree, where each is. */
  readonly source: LeafNodeSource["leafNodeSource"] | undefined;
  readonly place: LeafNodePlace | undefined;
  readonly moment: ValidationMoment;
  /** The leaf that this one replaces, if its credential is another one: it has to be of the same identity. */
  readonly previous?: Identity | undefined;
  /** The group's context with the extensions that will be in force; undefined outside a group. */
  readonly context: InForce | undefined;
  /** Whether this client is about to send the key package: its lifetime is then always checked (R-7.3-7). Default: false. */
  readonly sending?: boolean;
}

/**
 * Refuses a leaf that is invalid in itself; `validateMembers` judges it among the others.
 *
 * @example
 * ```ts run
 * import { validateLeafNode } from "@coppice/core";
 * import { alice, makeKeyPackage, rules, suite } from "./example-group.ts"; // docs/examples
 *
 * const { keyPackage } = await makeKeyPackage(alice);
 * await validateLeafNode(suite, rules, {
 *   leaf: keyPackage.leafNode,
 *   source: "key_package",
 *   place: undefined,
 *   moment: "key_package",
 *   context: { extensions: [] },
 *   sending: true,
 * }); // throws unless it is valid
 * ```
 */
export async function validateLeafNode(suite: CipherSuite, rules: LeafNodeRules, check: LeafNodeCheck): Promise<void> {
  const { leaf, source, place, moment, previous, context } = check;
  checkSource(leaf, source);
  checkKeys(suite, leaf);
  try {
    await suite.hpke.validatePublicKey(leaf.encryptionKey);
  } catch (cause) {
    throw invalid(UNUSABLE_KEY, "R-5.1.1-1", { cause });
  }
  await verifyLeafNodeSignature(suite, leaf, place);
  checkCapabilities(suite, leaf, context);
  checkLifetime(leaf, rules, { sending: check.sending === true, place });
  await validateCredential(rules, leaf, moment, previous);
  if (previous !== undefined) checkIdentityKept(rules, previous.credential, leaf.credential);
}

/** The same for a founder's leaf, with keys and signature that this client has just made. */
export async function validateOwnLeafNode(
  suite: CipherSuite,
  rules: LeafNodeRules,
  { leaf, context }: Pick<LeafNodeCheck, "leaf" | "context">,
): Promise<void> {
  checkKeys(suite, leaf);
  checkCapabilities(suite, leaf, context);
  checkLifetime(leaf, rules, { sending: true, place: undefined });
  await validateCredential(rules, leaf, "key_package", undefined);
}

const invalid = (
  message: string,
  requirement: string,
  options: Pick<CoppiceErrorOptions, "cause" | "detail"> = {},
): CoppiceError => new CoppiceError("ERR_MLS_LEAF_NODE", message, { requirement, ...options });

const UNUSABLE_KEY = "the encryption key is not one of this suite";

const unsupported = (message: string, requirement: string): CoppiceError =>
  new CoppiceError("ERR_MLS_CAPABILITIES", message, { requirement });

function checkSource({ source }: LeafNode, expected: LeafNodeCheck["source"]): void {
  if (expected === undefined || source.leafNodeSource === expected) return;
  const requirement = { key_package: "R-7.3-10", update: "R-7.3-11", commit: "R-7.3-12" }[expected];
  throw invalid(`A leaf of source ${expected} is expected, not ${source.leafNodeSource}`, requirement);
}

/**
 * What is seen of its keys at once. Before a leaf enters a tree: keys of any length, each the start of another, would make the index
 * of keys deep.
 */
export function checkKeys(suite: CipherSuite, { signatureKey, encryptionKey }: LeafNode): void {
  if (!suite.signature.isPublicKey(signatureKey)) {
    throw invalid(UNUSABLE_SIGNATURE_KEY, "R-5.1.1-2");
  }
  if (encryptionKey.length !== suite.hpke.Npk) throw invalid(UNUSABLE_KEY, "R-5.1.1-1");
}

function checkCapabilities(suite: CipherSuite, leaf: LeafNode, context: LeafNodeCheck["context"]): void {
  const { capabilities, credential } = leaf;
  if (!capabilities.versions.includes(MLS10) || !capabilities.cipherSuites.includes(suite.id)) {
    throw unsupported("The leaf does not support the group's version and suite", "R-7.3-15");
  }
  if (!capabilities.credentials.includes(credential.credentialType)) {
    throw invalid("The leaf's credential type is not in its capabilities", "R-7.2-6");
  }
  const unlisted = missingExtension(leaf.extensions, capabilities.extensions);
  if (unlisted !== undefined) {
    throw invalid(`Leaf extension ${String(unlisted)} is not in its capabilities`, "R-7.3-9");
  }
  if (context !== undefined) checkSupport(leaf, context);
}

/** Refuses a leaf that does not support what the group requires and has (R-7.3-4, R-13.4-4). */
export function checkSupport({ capabilities }: LeafNode, { extensions }: InForce): void {
  const required = findRequiredCapabilities(extensions);
  const missing = required && missingCapability(capabilities, required);
  if (missing !== undefined) throw unsupported(`The leaf lacks the required ${missing}`, "R-7.3-4");
  const foreign = missingExtension(extensions, capabilities.extensions);
  if (foreign !== undefined) {
    throw unsupported(`The leaf does not support group extension ${String(foreign)}`, "R-13.4-4");
  }
}

/** How long it may be does not depend on the clock, so it is checked whether or not the time is. */
function checkLifetime(
  { source, signatureKey }: LeafNode,
  rules: LeafNodeRules,
  { sending, place }: { readonly sending: boolean; readonly place: LeafNodePlace | undefined },
): void {
  if (source.leafNodeSource !== "key_package") return;
  const { notBefore, notAfter } = source.lifetime;
  const { maxSeconds, checkOnReceive } = rules.lifetime;
  const which = { signatureKey: toHex(signatureKey), ...(place && { leafIndex: place.leafIndex }) };
  const name = place === undefined ? "a key package's leaf" : `leaf ${String(place.leafIndex)}`;
  const seconds = notAfter - notBefore;
  if (seconds > maxSeconds) {
    const message = `${name} is valid for ${String(seconds)} seconds, and rules.lifetime.maxSeconds is ${String(maxSeconds)}`;
    throw invalid(message, "R-7.2-8", { detail: { ...which, seconds, maxSeconds } });
  }
  if (!sending && !checkOnReceive) return;
  const now = secondsNow(rules);
  if (now < notBefore || now > notAfter) {
    const message = `${name} is valid from ${String(notBefore)} to ${String(notAfter)}, and it is ${String(now)}`;
    throw invalid(message, sending ? "R-7.3-7" : "R-7.3-8", { detail: { ...which, notBefore, notAfter, now } });
  }
}

/**
 * Refuses a tree whose members cannot be in one group (R-7.3-5, R-7.3-6, R-7.3-13, R-7.3-14, R-12.1.7-1, R-12.1.7-3). Asks the
 * tree's indexes, not its leaves.
 */
export function validateMembers(
  tree: RatchetTree,
  context: InForce,
  { checkMembers }: Pick<LeafNodeRules, "checkMembers">,
): void {
  if (!tree.keysAreUnique) throw invalid("Two nodes have the same public key", "R-7.3-14");
  const { supported, credentialTypes } = tree.summary;
  if (supported === undefined) throw invalid("The tree has no members", "R-11-4");
  const credential = credentialTypes.find((type) => !supported.credentials.includes(type));
  if (credential !== undefined) {
    throw unsupported(`Credential type ${String(credential)} is in use but not supported by every member`, "R-7.3-5");
  }
  const required = findRequiredCapabilities(context.extensions);
  const missing = required && missingCapability(supported, required);
  if (missing !== undefined) throw unsupported(`Not every member has the required ${missing}`, "R-12.1.7-1");
  const foreign = missingExtension(context.extensions, supported.extensions);
  if (foreign !== undefined) {
    throw unsupported(`Group extension ${String(foreign)} is not supported by every member`, "R-12.1.7-3");
  }
  checkMembers?.(tree, context);
}

/** The time of the application's clock. `TypeError` for what is no bigint: nothing is before or after NaN. */
function secondsNow({ now }: LeafNodeRules): bigint {
  const seconds: unknown = now();
  if (typeof seconds === "bigint") return seconds;
  throw new TypeError(`rules.now must return a bigint, not ${describe(seconds)}`);
}
