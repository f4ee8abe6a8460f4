/** Backups of accounts, in a module of its own: it is loaded when one is made or restored. */
import { exportAccount, importAccount, type BackupProgress } from "@coppice/client/backup";
import type { Store } from "@coppice/storage";
import { openFile, sealFile, type FileKey } from "@coppice/storage/sealed-file";

export interface BackupWork {
  /** Opens the store; it is closed when the work ends. */
  readonly open: () => Promise<Store>;
  readonly backupKey: FileKey;
  readonly signal?: AbortSignal;
  readonly onProgress: (progress: BackupProgress) => void;
}

export async function* backUp({
  open,
  backupKey,
  ...options
}: BackupWork): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const store = await open();
  try {
    yield* sealFile(exportAccount(store, options), backupKey);
  } finally {
    await store.close();
  }
}

export async function restore(
  file: AsyncIterable<Uint8Array>,
  { open, backupKey, user, ...options }: BackupWork & { readonly user: string },
): Promise<void> {
  const store = await open();
  try {
    await importAccount(store, openFile(file, backupKey), { user, ...options });
  } finally {
    await store.close();
  }
}
