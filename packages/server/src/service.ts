/** The Delivery Service without its HTTP front: database, domain, sessions, events, and the deletion of what is due. */
import type { ClientId } from "@coppice/delivery";
import { DeliveryDomain, EventHub, Polls, type Notice } from "@coppice/delivery/domain";
import type { Time } from "@coppice/kit";
import { Administration } from "./admin/administration.ts";
import { Sessions } from "./auth/sessions.ts";
import { Database } from "./database/database.ts";
import { Turns } from "./database/turns.ts";
import { PollHub } from "./events/poll-hub.ts";
import { EventSockets } from "./events/sockets.ts";
import type { ServerLimits } from "./limits.ts";
import { SqlStore } from "./store/store.ts";
import { Sweeper } from "./sweeper.ts";

/** Pause between looks at what is due for deletion, milliseconds. */
const RETENTION_INTERVAL = 60_000;

/** What a service is made of. */
export interface ServiceOptions {
  /** Path of the database file, or `:memory:`. */
  readonly database: string;
  readonly limits: ServerLimits;
  readonly time: Time;
  /** See `ServerOptions`. */
  readonly newIncarnations: boolean;
  readonly onError: (error: unknown) => void;
  /** Told of each durable commit, and how many changes shared it. */
  readonly onCommit?: (changes: number) => void;
}

/** A running service. */
export interface Service {
  readonly domain: DeliveryDomain;
  readonly sessions: Sessions;
  readonly polls: Polls;
  readonly sockets: EventSockets;
  readonly administration: Administration;
  /** Bytes of the database that are in use; rejects if it cannot be read. */
  readonly storeBytes: () => Promise<number>;
  /** Ends what runs by itself, and closes the database once nothing waits for it. */
  close(): Promise<void>;
}

/** Opens the database and what works on it; closes it again if that fails. */
export async function openService(options: ServiceOptions): Promise<Service> {
  const database = new Database(options.database);
  try {
    return await startService(database, options);
  } catch (error) {
    database.close();
    throw error;
  }
}

async function startService(
  database: Database,
  { limits, time, newIncarnations, onError, onCommit }: ServiceOptions,
): Promise<Service> {
  const turns = new Turns(database, time, onCommit);
  const hub = new EventHub({ perClient: limits.socketsPerClient });
  const notify = (notice: Notice): void => {
    if (notice.type === "revoked") sessions.revoke(notice.client).catch(onError);
    hub.publish(notice);
  };
  const revoke = async (client: ClientId): Promise<void> => {
    await sessions.revoke(client);
    hub.publish({ type: "revoked", client });
  };
  const domain = await DeliveryDomain.open({ store: new SqlStore(database, turns), time, limits, notify });
  const now = (): number => domain.now();
  const sessions = new Sessions({ database, turns, limits, now });
  if (newIncarnations || database.isBackup) {
    await domain.renew();
    await sessions.revokeAll();
    await turns.change(() => {
      database.forgetBackup();
    });
  }
  const sweeper = new Sweeper({
    time,
    pause: RETENTION_INTERVAL,
    sweep: async () => {
      const [isMoreDue, hasMoreExpired] = [await domain.forget(), await sessions.forget()];
      return isMoreDue || hasMoreExpired;
    },
    onError,
  });
  return {
    domain,
    sessions,
    administration: new Administration({ database, turns, revoke, time }),
    storeBytes: () => turns.read(() => database.bytes),
    polls: new Polls(new PollHub(hub, limits.mailboxes), time),
    sockets: new EventSockets({ hub, sessions, limits, time, now }),
    close: async () => {
      await sweeper.end();
      // The service's age is written down with it.
      await domain.forget().catch(onError);
      await turns.idle();
      database.close();
    },
  };
}
