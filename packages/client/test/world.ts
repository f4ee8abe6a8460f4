/**
 * A world for scenarios, in virtual time: an in-memory Delivery Service, and devices whose stores outlive their engines. A device may
 * have several contexts at once, as a browser has tabs.
 */
import {
  createMemoryDelivery,
  type DeliveryService,
  type MemoryDelivery,
  type MemoryDeliveryService,
} from "@coppice/delivery";
import { CoppiceError } from "@coppice/kit";
import { VirtualTime } from "@coppice/kit/testing";
import { createMemoryDatabase, createMemoryStore, type MemoryDatabase, type Store } from "@coppice/storage";
import { expect, onTestFinished } from "vitest";
import {
  memoryPeers,
  openEngine,
  type Client,
  type Conversation,
  type Engine,
  type HistoryItem,
  type Member,
  type OpenEngineOptions,
  type Peers,
} from "@coppice/client";

export interface Opened {
  readonly engine: Engine;
  readonly client: Client;
  readonly delivery: MemoryDeliveryService;
  /** Ends this context as a killed process would end: nothing more is read, written, sent or received, and its locks are free. */
  crash(): void;
  /** Stops this context as a frozen tab is stopped, its locks held; returns what wakes it. */
  freeze(): () => void;
}

export type OpenOptions = Partial<OpenEngineOptions> & {
  readonly wrap?: (service: DeliveryService) => DeliveryService;
  readonly wrapStore?: (store: Store) => Store;
  /** Milliseconds that this device's clock is ahead of the world's. Default 0. */
  readonly clockAhead?: number;
};

export class Device {
  readonly database: MemoryDatabase = createMemoryDatabase();
  readonly peers: () => Peers = memoryPeers();
  readonly name: string;
  readonly world: World;

  constructor(world: World, name: string) {
    this.world = world;
    this.name = name;
  }

  async open(options: OpenOptions = {}): Promise<Opened> {
    const { time } = this.world;
    let delivery: MemoryDeliveryService | undefined;
    const power = new Power();
    const same = <T>(value: T): T => value;
    const { wrap = same, wrapStore = same, clockAhead = 0, ...rest } = options;
    const bare = createMemoryStore(this.database, { time });
    const engine = await openEngine({
      name: this.name,
      store: wrapStore(withPower(bare, power)),
      connect: async (identity) => {
        delivery = await this.world.service.connect(identity);
        return wrap(delivery);
      },
      peers: withPowerOfPeers(this.peers(), power),
      time: new PoweredTime(time, power, clockAhead),
      keyPackages: 4,
      ...rest,
    });
    onTestFinished(async () => {
      power.wake();
      await bare.close();
      await engine.close();
    });
    if (delivery === undefined) throw new Error("The engine did not connect");
    const { network } = delivery;
    return {
      engine,
      client: engine.session(),
      delivery,
      crash: () => {
        power.fail();
        network.reachable = false;
        void bare.close();
      },
      freeze: () => {
        power.freeze();
        return () => {
          power.wake();
        };
      },
    };
  }

  /** An engine's client. */
  async client(options: OpenOptions = {}): Promise<Client> {
    return (await this.open(options)).client;
  }

  /** A store on this device's data, to look into it. */
  store(): Store {
    return createMemoryStore(this.database, { time: this.world.time });
  }
}

/** Whether a context runs. */
class Power {
  off = false;
  /** Rejects when the power goes off: a process that ends lets go of its locks. */
  readonly failure: Promise<never>;
  #fail: (error: Error) => void = () => undefined;
  #thaw: Promise<void> | undefined;
  #wake: () => void = () => undefined;

  constructor() {
    this.failure = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failure.catch(() => undefined);
  }

  fail(): void {
    this.off = true;
    this.#fail(new CoppiceError("ERR_STORE_CLOSED", "The power is off"));
    this.wake();
  }

  get frozen(): boolean {
    return this.#thaw !== undefined;
  }

  freeze(): void {
    this.#thaw ??= new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  wake(): void {
    this.#thaw = undefined;
    this.#wake();
  }

  /** Waits while frozen; throws once the power is off. */
  async check(): Promise<void> {
    while (this.#thaw !== undefined) await this.#thaw;
    await Promise.resolve();
    if (this.off) throw new CoppiceError("ERR_STORE_CLOSED", "The power is off");
  }
}

/** Timers of a context that is frozen are late. */
class PoweredTime extends VirtualTime {
  readonly #time: VirtualTime;
  readonly #power: Power;
  readonly #ahead: number;

  constructor(time: VirtualTime, power: Power, ahead: number) {
    super();
    this.#ahead = ahead;
    this.#time = time;
    this.#power = power;
  }

  override now(): number {
    return this.#time.now() + this.#ahead;
  }

  override elapsed(): number {
    return this.#time.elapsed();
  }

  override random(): number {
    return this.#time.random();
  }

  override after(milliseconds: number, callback: () => void): () => void {
    let cancelled = false;
    const cancel = this.#time.after(milliseconds, () => {
      void this.#power.check().then(
        () => {
          if (!cancelled) callback();
        },
        () => undefined,
      );
    });
    return () => {
      cancelled = true;
      cancel();
    };
  }
}

/** A store of which nothing is heard while the context does not run. */
function withPower(store: Store, power: Power): Store {
  return {
    read: async (...args) => {
      await power.check();
      return store.read(...args);
    },
    readChanges: async (...args) => {
      await power.check();
      return store.readChanges(...args);
    },
    partitions: (...args) => store.partitions(...args),
    write: async (...args) => {
      await power.check();
      await store.write(...args);
      await power.check();
    },
    discard: (...args) => store.discard(...args),
    exclusive: (name, task, options) =>
      store.exclusive(
        name,
        async (lost) => {
          await power.check();
          return Promise.race([task(lost), power.failure]);
        },
        options,
      ),
    subscribe: (listener) =>
      store.subscribe((change) => {
        void power.check().then(
          () => {
            listener(change);
          },
          () => undefined,
        );
      }),
    close: () => store.close(),
  };
}

/** Hears of no write by another context: announcements may be lost. */
export const deafStore = (store: Store): Store => ({
  read: (...args) => store.read(...args),
  readChanges: (...args) => store.readChanges(...args),
  partitions: (...args) => store.partitions(...args),
  write: (...args) => store.write(...args),
  discard: (...args) => store.discard(...args),
  exclusive: (...args) => store.exclusive(...args),
  subscribe: () => () => undefined,
  close: () => store.close(),
});

function withPowerOfPeers(peers: Peers, power: Power): Peers {
  return {
    post: (message) => {
      if (!power.off && !power.frozen) peers.post(message);
    },
    subscribe: (listener) =>
      peers.subscribe((message) => {
        if (!power.off && !power.frozen) listener(message);
      }),
    close: () => {
      peers.close();
    },
  };
}

export class World {
  readonly time: VirtualTime;
  readonly service: MemoryDelivery;

  constructor({ seed = 1, limits = {} }: { readonly seed?: number; readonly limits?: object } = {}) {
    this.time = new VirtualTime({ seed });
    this.service = createMemoryDelivery({ time: this.time, limits });
  }

  device(name: string): Device {
    return new Device(this, name);
  }

  client(name: string): Promise<Client> {
    return this.device(name).client();
  }

  /** Lets time go on until `condition` holds; it may throw meanwhile. */
  async until(condition: () => unknown, limit = 120_000): Promise<void> {
    let failure = "";
    try {
      await this.time.until(async () => {
        try {
          return await condition();
        } catch (error) {
          failure = error instanceof Error ? `: ${error.message}` : "";
          return false;
        }
      }, limit);
    } catch (error) {
      throw new Error(`It did not happen: ${condition.toString()}${failure}`, { cause: error });
    }
  }

  /** Lets time go on until `work` settles. */
  async run<T>(work: Promise<T>, limit?: number): Promise<T> {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    work.then(settle, settle);
    await this.until(() => settled, limit);
    return work;
  }

  /** The client's conversation of this id, once it is there. */
  async arrival(client: Client, id: string): Promise<Conversation> {
    await this.until(() => client.conversation(id) !== undefined);
    const found = client.conversation(id);
    if (found === undefined) throw new Error("It was there");
    return found;
  }

  /** All are in the same epoch, and export the same secret from it. */
  async agree(...conversations: readonly Conversation[]): Promise<void> {
    const epochs = (): Set<bigint> => new Set(conversations.map(({ snapshot }) => snapshot.epoch));
    await this.until(() => epochs().size === 1);
    const secrets = await Promise.all(
      conversations.map((conversation) => conversation.exportSecret("agree", new Uint8Array(0), 16)),
    );
    expect(new Set(secrets.map((secret) => secret.join())).size).toBe(1);
    for (const { snapshot } of conversations) expect(snapshot.status).toBe("active");
  }
}

export async function members(conversation: Conversation): Promise<readonly Member[]> {
  const found: Member[] = [];
  let after: string | undefined;
  do {
    const page = await conversation.members(after === undefined ? {} : { after });
    found.push(...page.members);
    after = page.next;
  } while (after !== undefined);
  return found;
}

export const names = async (conversation: Conversation): Promise<readonly string[]> =>
  (await members(conversation)).map(({ user }) => user).sort();

export const textOf = (item: HistoryItem): string =>
  item.kind === "message" ? new TextDecoder().decode(item.data) : item.kind;

/** Texts of all messages in the history, own ones too. */
export async function texts(conversation: Conversation): Promise<readonly string[]> {
  const items = await conversation.history({ limit: 10_000 });
  return items.filter(({ kind }) => kind === "message").map(textOf);
}

/** States of all own messages in the history. */
export async function states(conversation: Conversation): Promise<readonly string[]> {
  const items = await conversation.history({ limit: 10_000 });
  return items.flatMap((item) => (item.kind === "message" && item.isSelf ? [item.state] : []));
}

/** What became of items in the history, by kind or problem. */
export async function kinds(conversation: Conversation): Promise<readonly string[]> {
  const items = await conversation.history({ limit: 10_000 });
  return items.map((item) => (item.kind === "undecryptable" ? item.problem : item.kind));
}

/** Collects the texts of `message` events. */
export function listen(conversation: Conversation): string[] {
  const heard: string[] = [];
  conversation.on("message", (message) => {
    heard.push(`${message.sender}: ${textOf(message)}`);
  });
  return heard;
}

/** Collects the codes of `problem` events. */
export function problems(client: Client): string[] {
  const codes: string[] = [];
  client.on("problem", ({ code }) => {
    codes.push(code);
  });
  return codes;
}

export interface Pair {
  readonly world: World;
  readonly aliceDevice: Device;
  readonly bobDevice: Device;
  readonly alice: Opened;
  readonly bob: Opened;
  readonly atAlice: Conversation;
  readonly atBob: Conversation;
}

/** Alice and Bob in one group. */
export async function pair(world: World = new World()): Promise<Pair> {
  const aliceDevice = world.device("alice");
  const bobDevice = world.device("bob");
  const alice = await aliceDevice.open();
  const bob = await bobDevice.open();
  const atAlice = await alice.client.createGroup();
  await world.run(atAlice.add("bob"));
  const atBob = await world.arrival(bob.client, atAlice.id);
  await world.agree(atAlice, atBob);
  return { world, aliceDevice, bobDevice, alice, bob, atAlice, atBob };
}

/** The conversation of a client that was opened again. */
export function again({ client }: Opened, { id }: Conversation): Conversation {
  const found = client.conversation(id);
  if (found === undefined) throw new Error("The conversation is not stored");
  return found;
}
