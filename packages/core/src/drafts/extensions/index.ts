/**
 * The Messaging Layer Security Extensions, draft-ietf-mls-extensions-10: safe application API, SelfRemove, key packages of last resort,
 * multi-credentials, AppAck, content advertisement. A draft: numbers and bytes may change with the next one.
 */
export { appAck, encodeAppAck, isAcknowledged, readAppAck } from "./app-ack.ts";
export type { MessageRange } from "./app-ack.ts";
export { appData, appDataWithGrease, encodeComponents, readAppData, readComponents } from "./app-data.ts";
export type { AppData } from "./app-data.ts";
export {
  proposeAppData,
  proposeAppDataRemoval,
  proposeEphemeral,
  readAppDataUpdate,
  readAppEphemeral,
} from "./app-data-update.ts";
export type { AppDataUpdate, AppEphemeral, Component } from "./app-data-update.ts";
export { ComponentId, componentLabel, DraftExtensionType } from "./component.ts";
export type { ComponentOperation } from "./component.ts";
export { safeExportSecret } from "./exporter-tree.ts";
export type { SafeExport } from "./exporter-tree.ts";
export { isLastResort, lastResort } from "./key-package.ts";
export { encodeMediaTypes, frameContent, readContent, readMediaTypes } from "./media-types.ts";
export type { MediaType, TypedContent } from "./media-types.ts";
export {
  bindCredential,
  multiCredential,
  readBindings,
  weakMultiCredential,
  withMultiCredentials,
} from "./multi-credential.ts";
export type { CredentialBinding, SupportedBindings } from "./multi-credential.ts";
export { leafExtensions, readWireFormats, requiredWireFormats, supported } from "./negotiation.ts";
export type { LeafSupport } from "./negotiation.ts";
export { proposePsk } from "./psk.ts";
export { encodeSafeAad, readSafeAad, usesSafeAad } from "./safe-aad.ts";
export { ownKeyPair, safeDecrypt, safeEncrypt, safeSign, safeVerify, withExternalKeyPair } from "./safe-keys.ts";
export { canSelfRemove, createSelfRemove } from "./self-remove.ts";
export { withExtensions } from "./with-extensions.ts";
export type { ExtensionOptions } from "./with-extensions.ts";
export { DraftProposalType } from "../../framing/proposal.ts";
export { DraftCredentialType } from "../../identity/credential.ts";
export type { BoundCredentials } from "../../identity/credential.ts";
export type { HpkeCiphertext, HpkeKeyPair } from "../../crypto/hpke.ts";
