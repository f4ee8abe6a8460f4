/** Telling the other contexts of a change, without telling anyone else. */
import { Listeners } from "@coppice/kit";
import type { StoreChange } from "../contract.ts";
import { parseAnnouncement } from "./parse.ts";
import type { Vault } from "./vault.ts";

/** A partition's new row. */
export interface Announcement {
  readonly tag: Uint8Array<ArrayBuffer>;
  readonly version: number;
  readonly sealed: Uint8Array<ArrayBuffer>;
}

/**
 * Announcements go over a BroadcastChannel that any script of the origin can read and write: they carry tags and sealed
 * names only, and what does not authenticate is dropped. (An old one can be repeated: a change is a hint.)
 */
export class Announcements {
  readonly #channel: BroadcastChannel;
  readonly #vault: Vault;
  readonly #listeners = new Listeners<{ change: StoreChange }>(["change"]);
  /** Keeps changes in order although opening them takes time. */
  #last: Promise<void> = Promise.resolve();

  constructor(databaseName: string, vault: Vault) {
    this.#channel = new BroadcastChannel(`coppice-store:${databaseName}`);
    this.#vault = vault;
    this.#channel.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      if (this.#listeners.count("change") > 0) this.#last = this.#last.then(() => this.#receive(data));
    });
  }

  send(announcements: readonly Announcement[]): void {
    for (const announcement of announcements) this.#channel.postMessage(announcement);
  }

  subscribe(listener: (change: StoreChange) => void): () => void {
    return this.#listeners.add("change", listener);
  }

  close(): void {
    this.#listeners.clear();
    this.#channel.close();
  }

  async #receive(data: unknown): Promise<void> {
    const announcement = parseAnnouncement(data);
    if (announcement === undefined) return;
    let partition: string;
    try {
      ({ partition } = await this.#vault.openPartition(announcement, announcement.sealed));
    } catch {
      return;
    }
    this.#listeners.notify("change", { partition, version: announcement.version });
  }
}
