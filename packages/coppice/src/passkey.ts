/** Keys from passkeys: for pages that protect an account's data by one. */
export {
  createPasskey,
  type CreatePasskeyOptions,
  type Passkey,
  passkeyKey,
  type PasskeyErrorCode,
} from "@coppice/worker/passkey";
