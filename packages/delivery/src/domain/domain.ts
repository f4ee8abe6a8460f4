/**
 * The rules of delivery, once, over any `DomainStore`: what a server, and the in-memory service, do for a client that has
 * signed in. Sockets, tokens, rates and addresses are the host's.
 */
import { loadKernel } from "@coppice/core";
import type { Time } from "@coppice/kit";
import type {
  ClaimedKeyPackage,
  ClientId,
  CommitOutcome,
  CommitSubmission,
  InboxEntry,
  LogPage,
  LogPosition,
  StoredGroupInfo,
} from "../contract.ts";
import type { DeviceLogEntry } from "../device-log/entry.ts";
import { DomainClock } from "./clock.ts";
import { createGroup, submitCommit } from "./commits.ts";
import { makeContext, type Context } from "./context.ts";
import { appendDeviceLog, readDeviceLog, signIn, type SignIn } from "./directory.ts";
import { acknowledgeInbox, readInbox } from "./inbox.ts";
import { claimKeyPackages, publishKeyPackages } from "./key-packages.ts";
import { DEFAULT_DOMAIN_LIMITS, type DomainLimits } from "./limits.ts";
import { sendMessages } from "./messages.ts";
import type { Notice } from "./notice.ts";
import { readGroupInfo, readGroups, readLog } from "./reading.ts";
import { ReadersCache } from "./readers-cache.ts";
import { forget } from "./retention.ts";
import type { DomainStore } from "./store.ts";

/** What a domain is made of. */
export interface DomainOptions {
  readonly store: DomainStore;
  readonly time: Time;
  /** Default: `DEFAULT_DOMAIN_LIMITS` for what is not given. */
  readonly limits?: Partial<DomainLimits>;
  /** Told what to send to whom, in the order in which changes took effect. May not throw. */
  readonly notify: (notice: Notice) => void;
}

/** The calls of `DeliveryService`, each for a client that has signed in; errors are those of the contract. */
export class DeliveryDomain {
  readonly #context: Context;

  private constructor(context: Context) {
    this.#context = context;
  }

  /** Opens the domain on a store. */
  static async open({ store, time, limits = {}, notify }: DomainOptions): Promise<DeliveryDomain> {
    const { sha256 } = await loadKernel();
    const age = await store.read((tx) => tx.age());
    const context = makeContext({
      store,
      clock: new DomainClock(time, age),
      limits: { ...DEFAULT_DOMAIN_LIMITS, ...limits },
      readers: new ReadersCache(),
      sha256: (content) => sha256.digest(content),
      notify,
    });
    return new DeliveryDomain(context);
  }

  /** Milliseconds since 1970 by the service's own clock, which does not jump. */
  now(): number {
    return this.#context.clock.now();
  }

  signIn(request: SignIn): Promise<void> {
    return signIn(this.#context, request);
  }

  publishKeyPackages(client: ClientId, batch: Parameters<typeof publishKeyPackages>[2]): Promise<void> {
    return publishKeyPackages(this.#context, client, batch);
  }

  async countKeyPackages(client: ClientId): Promise<{ readonly count: number }> {
    return { count: await this.#context.store.read((tx) => tx.countKeyPackages(client)) };
  }

  claimKeyPackages(query: { readonly users: readonly string[] }): Promise<readonly ClaimedKeyPackage[]> {
    return claimKeyPackages(this.#context, query);
  }

  readDeviceLog(query: { readonly user: string; readonly from: number }): Promise<readonly DeviceLogEntry[]> {
    return readDeviceLog(this.#context, query);
  }

  appendDeviceLog(client: ClientId, entry: DeviceLogEntry): Promise<void> {
    return appendDeviceLog(this.#context, client, entry);
  }

  createGroup(
    client: ClientId,
    group: { readonly groupId: Uint8Array; readonly groupInfo: Uint8Array },
  ): Promise<{ readonly incarnation: string }> {
    return createGroup(this.#context, client, group);
  }

  submitCommit(client: ClientId, submission: CommitSubmission): Promise<CommitOutcome> {
    return submitCommit(this.#context, client, submission);
  }

  sendMessages(
    client: ClientId,
    batch: Parameters<typeof sendMessages>[2],
  ): Promise<{ readonly seqs: readonly number[] }> {
    return sendMessages(this.#context, client, batch);
  }

  readLog(client: ClientId, query: Parameters<typeof readLog>[2]): Promise<LogPage> {
    return readLog(this.#context, client, query);
  }

  readGroups(
    client: ClientId,
    query: { readonly after: Uint8Array | undefined },
  ): Promise<readonly { readonly groupId: Uint8Array<ArrayBuffer>; readonly position: LogPosition }[]> {
    return readGroups(this.#context, client, query);
  }

  readGroupInfo(client: ClientId, query: { readonly groupId: Uint8Array }): Promise<StoredGroupInfo> {
    return readGroupInfo(this.#context, client, query);
  }

  readInbox(client: ClientId): Promise<readonly InboxEntry[]> {
    return readInbox(this.#context, client);
  }

  acknowledgeInbox(client: ClientId, query: { readonly id: number }): Promise<void> {
    return acknowledgeInbox(this.#context, client, query);
  }

  /** Deletes one slice of what is due; returns whether more may be. Call it every minute, and again while it says so. */
  forget(): Promise<boolean> {
    return forget(this.#context);
  }

  /**
   * After the store was restored from a backup: no client posts into, or reads from, a log that it takes for another one.
   * Call it once, before anybody connects.
   */
  async renew(): Promise<void> {
    await this.#context.store.transaction((tx) => tx.renew());
    this.#context.readers.clear();
  }
}
