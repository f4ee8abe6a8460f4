/** Backups of accounts, for pages: the work is done in a worker. In a module of its own: only pages that use it load it. */
import type { BackupProgress } from "@coppice/client/backup";
import { systemTime, untilAborted } from "@coppice/kit";
import type { FileKey } from "@coppice/storage/sealed-file";
import { closedError } from "./errors.ts";
import { MAX_PIECE } from "./limits.ts";
import { type EngineOptions, openRequest } from "./options.ts";
import type { WorkerOptions } from "./page.ts";
import { Link } from "./page/link.ts";
import type { BackupRequest } from "./protocol.ts";
import { connectWorker } from "./spawn.ts";

export type { BackupProgress } from "@coppice/client/backup";
export { createRecoveryKey, type FileKey } from "@coppice/storage/sealed-file";

export interface BackupOptions extends EngineOptions, WorkerOptions {
  /** What the file is sealed under: a passphrase, or a recovery key from `createRecoveryKey`. */
  readonly backupKey: FileKey;
  /** Told now and then how far the work is. */
  readonly onProgress?: (progress: BackupProgress) => void;
}

export interface RestoreOptions extends BackupOptions {
  /** The file: a `Blob`, a `File`, a response's `body`. */
  readonly backup: Blob | ReadableStream<Uint8Array>;
}

/**
 * The account on this device as one file: histories, the pinned device logs of people, and the device's key in the user's device log;
 * never the keys of messages. It is made while it is read, and may be made while the account is open.
 *
 * The stream fails with `CoppiceError` `ERR_CLIENT_NO_ACCOUNT`, `ERR_STORE_WRONG_KEY`, the other codes of the store and of
 * `WorkerErrorCode`; the signal's reason.
 *
 * @throws `TypeError` for options that make no sense.
 *
 * @example
 * const backupKey = { kind: "recovery", key: await createRecoveryKey() } as const;
 * const file = await new Response(backup({ name: "alice", server: "https://chat.example", backupKey })).blob();
 */
export function backup(options: BackupOptions): ReadableStream<Uint8Array<ArrayBuffer>> {
  const request = backupRequest(options);
  const { onProgress, signal } = options;
  let link: Link | undefined;
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull: async (controller) => {
        try {
          link ??= await begin(options, (session) => session.backup(request));
          const { bytes, items, total } = await untilAborted(link.session.backupNext(), signal);
          onProgress?.({ items, total });
          if (bytes !== undefined) controller.enqueue(bytes);
          else {
            link.end(closedError);
            controller.close();
          }
        } catch (error) {
          link?.end(closedError);
          throw error;
        }
      },
      cancel: () => {
        link?.end(closedError);
      },
    },
    { highWaterMark: 0 },
  );
}

/**
 * Restores a backup on this device. Where the account is not, it comes back: open it then, and it joins its groups again under new keys.
 * Into an account of the same user that is there come the histories of conversations that it does not have; nothing else changes, so
 * that restoring twice is harmless. The device that the backup is of must not be used any more: it is the same device.
 *
 * @throws `CoppiceError` `ERR_STORE_WRONG_KEY` for another passphrase or recovery key, `ERR_STORE_CORRUPT` for a file that was
 * changed or is cut off, `ERR_CLIENT_WRONG_ACCOUNT` for a backup of another name, `ERR_CLIENT_NO_BACKUP`, the other codes of the
 * store and of `WorkerErrorCode`; the signal's reason; `TypeError` for options that make no sense.
 */
export async function restore(options: RestoreOptions): Promise<void> {
  const request = backupRequest(options);
  const { backup: file, onProgress, signal } = options;
  const link = await begin(options, (session) => session.restore(request));
  try {
    for await (const piece of piecesOf(file)) {
      const progress = await untilAborted(link.session.restorePiece(piece), signal);
      onProgress?.(progress);
    }
    await untilAborted(link.session.restoreEnd(), signal);
  } finally {
    link.end(closedError);
  }
}

async function begin(
  { worker, shared = false, signal }: WorkerOptions,
  start: (session: Link["session"]) => Promise<void>,
): Promise<Link> {
  signal?.throwIfAborted();
  const [nobody, nothing] = [(): undefined => undefined, (): void => undefined];
  const link = new Link(connectWorker({ worker, shared }), {
    ...{ time: systemTime, known: nobody, onState: nothing, onFailure: nothing },
  });
  try {
    await link.greet(signal);
    await untilAborted(start(link.session), signal);
    return link;
  } catch (error) {
    link.end(closedError);
    throw error;
  }
}

function backupRequest(options: BackupOptions): BackupRequest {
  const { backupKey } = options;
  if (typeof backupKey !== "object") {
    throw new TypeError('The option backupKey must be a key, such as { kind: "passphrase", passphrase }');
  }
  return { ...openRequest(options), backupKey };
}

/** The file in pieces that are not too large. */
async function* piecesOf(file: Blob | ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = (file instanceof Blob ? file.stream() : file).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (let at = 0; at < value.length; at += MAX_PIECE) yield value.slice(at, at + MAX_PIECE);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
