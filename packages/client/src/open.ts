/** Opening a client: account, sign-in, engine. */
import type { DeliveryService, Identity } from "@coppice/delivery";
import type { Store } from "@coppice/storage";
import { Account } from "./account/account.ts";
import type { CallOptions, Client } from "./api.ts";
import { Engine } from "./client.ts";
import { refillPool, type PoolOptions } from "./account/key-packages.ts";
import { checkName } from "./names.ts";
import { isTransient } from "./retrying.ts";
import { DEFAULT_PACE, untilAborted, type Pace } from "./waiting.ts";

export interface OpenClientOptions extends CallOptions {
  /** The user's name, 1 to 64 characters; taken in Unicode NFC. */
  readonly name: string;
  /** Where everything is kept: one account per store. The client closes it. */
  readonly store: Store;
  /**
   * Signs in to the Delivery Service; must also resolve while it cannot be reached, as `connectDelivery` does. The client
   * closes what it returns.
   */
  readonly connect: (identity: Identity) => Promise<DeliveryService>;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly clock?: () => number;
  /** Single-use key packages to keep published, 1 to 1000. Default 20. */
  readonly keyPackages?: number;
  /** How long the engine waits; what is not given has its default. */
  readonly pace?: Partial<Pace>;
}

/**
 * Opens the account in `store`, or creates it under `name` and registers it with the Delivery Service. An existing account
 * opens offline; creating one needs the Delivery Service's answer.
 *
 * Several clients may be open on one store's data at once (tabs, workers): they share everything but their listeners.
 *
 * @example
 * const client = await openClient({ name: "alice", store, connect: (identity) => connectDelivery({ url, identity }) });
 * const group = await client.createGroup({ title: "Garden" });
 * await group.add(["bob"]);
 * await group.send("hello");
 *
 * @throws `CoppiceError` `ERR_CLIENT_NAME_INVALID`; `ERR_CLIENT_WRONG_ACCOUNT` if the store belongs to another name;
 * `ERR_DS_NAME_TAKEN`, `ERR_DS_SIGN_IN`, `ERR_DS_UNREACHABLE` and others of `connect` for a new account, of which nothing
 * usable is left behind; the store's codes. After a failure store and connection are left to the caller.
 */
export async function openClient(options: OpenClientOptions): Promise<Client> {
  const { store, connect, clock = Date.now, keyPackages = 20, signal } = options;
  const name = checkName(options.name);
  if (!Number.isInteger(keyPackages) || keyPackages < 1 || keyPackages > 1000) {
    throw new RangeError("keyPackages is 1 to 1000");
  }
  const pace = { ...DEFAULT_PACE, ...options.pace };
  const opening = open({ name, store, connect, clock, keyPackages, pace });
  try {
    return await untilAborted(opening, signal);
  } catch (error) {
    // Nobody will have the client that an aborted call still opens.
    void opening.then((client) => client.close()).catch(() => undefined);
    throw error;
  }
}

async function open(
  options: Required<Omit<OpenClientOptions, "signal" | "pace">> & { readonly pace: Pace },
): Promise<Client> {
  const { name, store, connect, clock, keyPackages, pace } = options;
  let delivery: DeliveryService | undefined;
  try {
    const account = await Account.open(store, name, async ({ identity }) => {
      delivery = await connect(identity);
      // Makes sure that name and key were accepted: `connect` also resolves while nobody answers.
      await delivery.countKeyPackages();
    });
    if (delivery === undefined) delivery = await connect(account.identity);
    else await introduce({ account, delivery, clock, size: keyPackages });
    const engine = new Engine({ account, delivery, clock, keyPackages, pace });
    await engine.start();
    return engine;
  } catch (error) {
    await delivery?.close();
    throw error;
  }
}

/** Others can add a new user as soon as its client is open. What fails here is made up for in the background. */
async function introduce(options: PoolOptions): Promise<void> {
  await refillPool(options).catch((error: unknown) => {
    if (!isTransient(error)) throw error;
  });
}
