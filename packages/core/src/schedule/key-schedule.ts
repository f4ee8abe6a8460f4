/** The key schedule (RFC 9420 §8). */
import { randomBytes } from "@coppice/kit";
import { type Bytes, EMPTY, erase } from "../codec/bytes.ts";
import type { CipherSuite } from "../crypto/cipher-suite.ts";
import { deriveSecret, deriveSecrets } from "../crypto/labels.ts";
import { type GroupContext, encodeGroupContext } from "./group-context.ts";

/** What an epoch derives from its `epoch_secret`, `Nh` bytes each, all secret but the authenticator (R-8-5, R-8-6). */
export interface EpochSecrets {
  readonly senderDataSecret: Bytes;
  readonly encryptionSecret: Bytes;
  readonly exporterSecret: Bytes;
  readonly externalSecret: Bytes;
  readonly confirmationKey: Bytes;
  readonly membershipKey: Bytes;
  readonly resumptionPsk: Bytes;
  /** To compare between members out of band (§8.7). */
  readonly epochAuthenticator: Bytes;
  readonly initSecret: Bytes;
  /** Root of the exporter tree of draft-ietf-mls-extensions; there if it was asked for. */
  readonly applicationExportSecret?: Bytes;
}

/** `joiner_secret` of the epoch that `context` describes (R-8-2). */
export function computeJoinerSecret(
  suite: CipherSuite,
  { initSecret, commitSecret, context }: { initSecret: Bytes; commitSecret: Bytes; context: GroupContext },
): Bytes {
  const extracted = suite.hash.extract(initSecret, commitSecret);
  const joinerSecret = suite.hash.expandWithLabel(extracted, "joiner", encodeGroupContext(context), suite.hash.Nh);
  erase(extracted);
  return joinerSecret;
}

/** `welcome_secret` (R-8-4). It contains the PSKs (T-3). */
export function computeWelcomeSecret(suite: CipherSuite, joinerSecret: Bytes, pskSecret: Bytes): Bytes {
  const memberSecret = suite.hash.extract(joinerSecret, pskSecret);
  const welcomeSecret = deriveSecret(suite, memberSecret, "welcome");
  erase(memberSecret);
  return welcomeSecret;
}

/** The key and nonce that protect the GroupInfo in a Welcome (R-12.4.3.1-6). */
export function computeWelcomeKey(
  suite: CipherSuite,
  joinerSecret: Bytes,
  pskSecret: Bytes,
): { key: Bytes; nonce: Bytes } {
  const welcomeSecret = computeWelcomeSecret(suite, joinerSecret, pskSecret);
  const [key = EMPTY, nonce = EMPTY] = suite.hash.expandMany(welcomeSecret, [
    { label: "key", context: EMPTY, length: suite.aead.Nk },
    { label: "nonce", context: EMPTY, length: suite.aead.Nn },
  ]);
  erase(welcomeSecret);
  return { key, nonce };
}

/** The secrets of the epoch that `context` describes (R-8-3 to R-8-6). */
export function computeEpochSecrets(
  suite: CipherSuite,
  {
    joinerSecret,
    pskSecret,
    context,
    exporterTree,
  }: { joinerSecret: Bytes; pskSecret: Bytes; context: GroupContext; exporterTree?: boolean | undefined },
): EpochSecrets {
  const memberSecret = suite.hash.extract(joinerSecret, pskSecret);
  const epochSecret = suite.hash.expandWithLabel(memberSecret, "epoch", encodeGroupContext(context), suite.hash.Nh);
  erase(memberSecret);
  return expandEpochSecret(suite, epochSecret, exporterTree);
}

/** Epoch 0 starts from fresh randomness (R-11-5). */
export function createEpochSecrets(suite: CipherSuite, exporterTree?: boolean): EpochSecrets {
  return expandEpochSecret(suite, randomBytes(suite.hash.Nh), exporterTree);
}

function expandEpochSecret(suite: CipherSuite, epochSecret: Bytes, exporterTree = false): EpochSecrets {
  const secrets = deriveSecrets(suite, epochSecret, {
    senderDataSecret: "sender data",
    encryptionSecret: "encryption",
    exporterSecret: "exporter",
    externalSecret: "external",
    confirmationKey: "confirm",
    membershipKey: "membership",
    resumptionPsk: "resumption",
    epochAuthenticator: "authentication",
    initSecret: "init",
  });
  const exported = exporterTree
    ? { applicationExportSecret: deriveSecret(suite, epochSecret, "application_export") }
    : {};
  erase(epochSecret);
  return { ...secrets, ...exported };
}

/** `MLS-Exporter` (R-8.5-1): 0 to 255 · Nh bytes, else `RangeError`. */
export function exportSecret(
  suite: CipherSuite,
  exporterSecret: Bytes,
  { label, context, length }: { label: string; context: Uint8Array; length: number },
): Bytes {
  const derived = deriveSecret(suite, exporterSecret, label);
  const exported = suite.hash.expandWithLabel(derived, "exported", suite.hash.digest(context), length);
  erase(derived);
  return exported;
}
