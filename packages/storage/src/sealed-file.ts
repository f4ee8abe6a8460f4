/** Files under a passphrase or a recovery key, in a module of its own: only who makes or reads one loads it. */
export { type FileKey, openFile, sealFile } from "./sealed-file/file.ts";
export { createRecoveryKey } from "./sealed-file/recovery-key.ts";
