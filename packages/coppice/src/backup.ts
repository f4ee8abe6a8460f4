/** Backups of accounts: one file, under a passphrase or a recovery key. */
export {
  backup,
  type BackupOptions,
  type BackupProgress,
  createRecoveryKey,
  type FileKey,
  restore,
  type RestoreOptions,
} from "@coppice/worker/backup";
