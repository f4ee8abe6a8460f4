/** A world for scenarios: an in-memory Delivery Service and devices whose stores outlive their clients. */
import {
  createMemoryDelivery,
  type DeliveryService,
  type MemoryDelivery,
  type MemoryDeliveryService,
} from "@coppice/delivery";
import { CoppiceError } from "@coppice/core";
import { createMemoryDatabase, createMemoryStore, type MemoryDatabase, type Store } from "@coppice/storage";
import { expect, onTestFinished } from "vitest";
import { openClient, type Client, type Conversation, type HistoryItem, type OpenClientOptions } from "@coppice/client";

/** Short waits, so that scenarios take milliseconds. */
export const PACE = { retryFirst: 10, retryMax: 50, conflict: 10, autoCommit: 20 };

export interface Opened {
  readonly client: Client;
  readonly delivery: MemoryDeliveryService;
  /** Ends this context as a killed process would end: nothing more is read, written, sent or received. */
  crash(): void;
}

export class Device {
  readonly database: MemoryDatabase = createMemoryDatabase();
  readonly name: string;
  readonly world: World;

  constructor(world: World, name: string) {
    this.world = world;
    this.name = name;
  }

  async open(
    options: Partial<OpenClientOptions> & {
      wrap?: (service: DeliveryService) => DeliveryService;
      wrapStore?: (store: Store) => Store;
    } = {},
  ): Promise<Opened> {
    let delivery: MemoryDeliveryService | undefined;
    const power = { on: true };
    const same = <T>(value: T): T => value;
    const { wrap = same, wrapStore = same, ...rest } = options;
    const client = await openClient({
      name: this.name,
      store: wrapStore(withPower(createMemoryStore(this.database), power)),
      connect: async (identity) => {
        delivery = await this.world.service.connect(identity);
        return wrap(delivery);
      },
      keyPackages: 4,
      pace: PACE,
      ...rest,
    });
    onTestFinished(() => client.close());
    if (delivery === undefined) throw new Error("the client did not connect");
    const { network } = delivery;
    const crash = (): void => {
      power.on = false;
      network.reachable = false;
    };
    return { client, delivery, crash };
  }
}

/** A store of which nothing is heard any more once the power is off. */
function withPower(store: Store, power: { readonly on: boolean }): Store {
  const check = async (): Promise<void> => {
    await Promise.resolve();
    if (!power.on) throw new CoppiceError("ERR_STORE_CLOSED", "the power is off");
  };
  return {
    read: async (...args) => {
      await check();
      return store.read(...args);
    },
    partitions: () => store.partitions(),
    write: async (...args) => {
      await check();
      await store.write(...args);
    },
    exclusive: (...args) => store.exclusive(...args),
    subscribe: (listener) =>
      store.subscribe((change) => {
        if (power.on) listener(change);
      }),
    close: () => store.close(),
  };
}

export class World {
  readonly service: MemoryDelivery = createMemoryDelivery();

  device(name: string): Device {
    return new Device(this, name);
  }

  async client(name: string): Promise<Client> {
    return (await this.device(name).open()).client;
  }
}

/** Waits until `condition` holds; it may throw meanwhile. */
export async function until(condition: () => unknown, what = condition.toString(), timeout = 5000): Promise<void> {
  const end = Date.now() + timeout;
  for (;;) {
    let failure: unknown;
    try {
      if ((await condition()) !== false) return;
    } catch (error) {
      failure = error;
    }
    if (Date.now() > end) throw new Error(`timed out: ${what}`, { cause: failure });
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** The client's conversation of this id, once it is there. */
export async function arrival(client: Client, id: string): Promise<Conversation> {
  await until(() => client.conversation(id) !== undefined, `${client.name} has no conversation`);
  const found = client.conversation(id);
  if (found === undefined) throw new Error("it was there");
  return found;
}

/** All are in the same epoch, with the same members and keys. */
export async function agree(...conversations: readonly Conversation[]): Promise<void> {
  const numbers = (): Set<string> => new Set(conversations.map(({ snapshot }) => snapshot.safetyNumber));
  await until(
    () => numbers().size === 1,
    `different safety numbers: ${conversations.map(({ snapshot }) => snapshot.epoch).join()}`,
  );
  for (const { snapshot } of conversations) {
    expect(snapshot.status).toBe("active");
    expect(snapshot.safetyNumber).toMatch(/^(\d{5} ){11}\d{5}$/);
  }
}

export const names = (conversation: Conversation): readonly string[] =>
  conversation.snapshot.members.map(({ name }) => name).sort();

export const textOf = (item: HistoryItem): string =>
  item.kind === "message" ? new TextDecoder().decode(item.data) : item.kind;

/** Texts of all messages in the history, own ones too. */
export async function texts(conversation: Conversation): Promise<readonly string[]> {
  const items = await conversation.history({ limit: 10_000 });
  return items.filter(({ kind }) => kind === "message").map(textOf);
}

/** Collects the texts of `message` events. */
export function listen(conversation: Conversation): string[] {
  const heard: string[] = [];
  conversation.on("message", (message) => {
    heard.push(`${message.sender}: ${textOf(message)}`);
  });
  return heard;
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
  await atAlice.add(["bob"]);
  const atBob = await arrival(bob.client, atAlice.id);
  return { world, aliceDevice, bobDevice, alice, bob, atAlice, atBob };
}

/** The conversation of a client that was opened again. */
export function again({ client }: Opened, { id }: Conversation): Conversation {
  const found = client.conversation(id);
  if (found === undefined) throw new Error("the conversation is not stored");
  return found;
}

/** Collects the codes of `problem` events. */
export function problems(client: Client): string[] {
  const codes: string[] = [];
  client.on("problem", ({ code }) => {
    codes.push(code);
  });
  return codes;
}
