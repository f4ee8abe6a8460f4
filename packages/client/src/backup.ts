/** Backups, in a module of its own: only who makes or restores one loads it. Chunks are plaintext: seal them. */
export { type BackupProgress, exportAccount, type ExportOptions } from "./backup/export.ts";
export { importAccount, type ImportOptions } from "./backup/import.ts";
