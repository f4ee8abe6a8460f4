/** Opening an engine: account, sign-in, conversations. */
import { equalBytes } from "@coppice/core";
import { listedDevices, type DeliveryService, type Identity } from "@coppice/delivery/contract";
import { assertSignal, Scope, systemTime, untilAborted, type Time } from "@coppice/kit";
import type { Store } from "@coppice/storage";
import { Account } from "./account/account.ts";
import { refillPool } from "./account/key-packages.ts";
import { People } from "./account/people.ts";
import type { CallOptions, Client } from "./api.ts";
import { Alerts } from "./engine/alerts.ts";
import { AccountEngine, type Engine } from "./engine/engine.ts";
import type { Peers } from "./engine/peers.ts";
import { clientError, isTransient } from "./errors.ts";
import { checkName } from "./names.ts";
import { DEFAULT_PACE, type Pace } from "./pace.ts";

export interface OpenEngineOptions extends CallOptions {
  /** The user's name; taken in its normal form. */
  readonly name: string;
  /** Where everything is kept: one account per store. The engine closes it. */
  readonly store: Store;
  /**
   * Signs in to the Delivery Service; must also resolve while it cannot be reached, as `connectDelivery` does. The engine
   * closes what it returns.
   */
  readonly connect: (identity: Identity) => Promise<DeliveryService>;
  /**
   * A way to the other engines on the same database; see `broadcastPeers`. Without one, a leader that is frozen is replaced only
   * when its context ends. The engine closes it.
   */
  readonly peers?: Peers | undefined;
  /** Clock, timers and jitter. Default: the platform's. */
  readonly time?: Time;
  /** Single-use key packages to keep published, 1 to 1000. Default 20. */
  readonly keyPackages?: number;
  /** How long the engine waits; what is not given has its default. */
  readonly pace?: Partial<Pace>;
}

/**
 * Opens the account in `store`, or creates it under `name` and registers it with the Delivery Service. An existing account
 * opens offline; creating one needs the Delivery Service's answer.
 *
 * Several engines may be open on one store's data at once (tabs, workers): they share everything but their sessions, and one of
 * them talks to the Delivery Service for all.
 *
 * @example
 * const engine = await openEngine({ name: "alice", store, connect: (identity) => connectDelivery({ url, identity }) });
 * const client = engine.session();
 *
 * @throws `CoppiceError` `ERR_CLIENT_NAME_INVALID`; `ERR_CLIENT_WRONG_ACCOUNT` if the store belongs to another name;
 * `ERR_DS_NAME_TAKEN`, `ERR_DS_SIGN_IN`, `ERR_DS_UNREACHABLE` and others of `connect` for a new account, of which nothing
 * usable is left behind; the store's codes. After a failure store, peers and connection are left to the caller.
 */
export function openEngine(options: OpenEngineOptions): Promise<Engine> {
  return openChecked(options);
}

/**
 * Opens an engine with one session; closing the client closes the engine. See `openEngine`.
 *
 * @example
 * const client = await openClient({ name: "alice", store, connect: (identity) => connectDelivery({ url, identity }) });
 * const group = await client.createGroup({ title: "Garden" });
 * await group.add("bob");
 * await group.send("hello");
 */
export async function openClient(options: OpenEngineOptions): Promise<Client> {
  return (await openChecked(options)).soleSession();
}

async function openChecked(options: OpenEngineOptions): Promise<AccountEngine> {
  const { store, connect, peers, time = systemTime, keyPackages = 20, signal } = options;
  const name = checkName(options.name);
  assertSignal(signal);
  if (!Number.isInteger(keyPackages) || keyPackages < 1 || keyPackages > 1000) {
    throw new RangeError("Between 1 and 1000 key packages are kept");
  }
  const pace = { ...DEFAULT_PACE, ...options.pace };
  const opening = open({ name, store, connect, peers, time, keyPackages, pace });
  try {
    return await untilAborted(opening, signal);
  } catch (error) {
    // Nobody will have the engine that an aborted call still opens.
    void opening.then((engine) => engine.close()).catch(() => undefined);
    throw error;
  }
}

interface CheckedOptions extends Pick<OpenEngineOptions, "name" | "store" | "connect"> {
  readonly peers: Peers | undefined;
  readonly time: Time;
  readonly keyPackages: number;
  readonly pace: Pace;
}

async function open(options: CheckedOptions): Promise<AccountEngine> {
  const { name, store, connect, time, keyPackages } = options;
  const alerts = new Alerts();
  const report = (error: unknown): void => {
    alerts.report(error);
  };
  const scope = new Scope();
  let delivery: DeliveryService | undefined;
  try {
    const account = await Account.open(store, name, async (identity, unconfirmed) => {
      delivery = await connect(identity);
      // Makes sure that name and key were accepted: `connect` also resolves while nobody answers.
      await delivery.countKeyPackages();
      return ownPosition(unconfirmed, new People({ account: unconfirmed, delivery, time, report }));
    });
    const isNew = delivery !== undefined;
    delivery ??= await connect(account.identity);
    const people = new People({ account, delivery, time, report });
    // Others can add a new user as soon as its client is open. What fails here is made up for in the background.
    if (isNew) await refillPool({ account, delivery, time, size: keyPackages }).catch(unlessTransient);
    const engine = new AccountEngine({ ...options, account, people, delivery, scope, alerts });
    await engine.start();
    return engine;
  } catch (error) {
    scope.end(error as Error);
    await delivery?.close();
    throw error;
  }
}

/** Where the user's device log lists this device. */
async function ownPosition({ user, device, signer }: Account, people: People): Promise<number> {
  const log = await people.log({ user, position: 0 });
  const listed = listedDevices(log).find((other) => other.device === device);
  if (listed === undefined || !equalBytes(listed.key.publicKey, signer.publicKey)) {
    throw clientError("ERR_CLIENT_DEVICE_LOG", "The directory's device log does not list this device", {
      detail: { user, rule: "unlisted" },
    });
  }
  return listed.since;
}

function unlessTransient(error: unknown): void {
  if (!isTransient(error)) throw error;
}
