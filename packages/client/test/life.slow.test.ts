/**
 * Random lives of a group, by seed: several users, devices and tabs, random Commits, delays, losses, offline times, crashes and
 * freezes. Whatever was acknowledged is read by everyone once, and nobody is shown anything that cannot be opened.
 */
import type { MemoryNetwork } from "@coppice/delivery";
import { describe, expect, test } from "vitest";
import type { Client, Conversation } from "@coppice/client";
import { linkedDevice } from "./devices.ts";
import { type Device, World, type Opened } from "./world.ts";

/** One context of a device. */
interface Tab {
  readonly device: Device;
  opened: Opened;
  /** Ends listening to its problems. */
  deafen: () => void;
  wake: (() => void) | undefined;
}

class Life {
  readonly world: World;
  readonly #tabs: Tab[] = [];
  readonly #readers: Device[] = [];
  /** Texts that were stored durably, as their senders were told, in the order of each device. */
  readonly #stored = new Map<Device, string[]>();
  /** Texts that a session was told of. */
  readonly #told: { readonly session: number; readonly text: string }[] = [];
  readonly #problems = new Set<string>();
  #id = "";
  #count = 0;
  #sessions = 0;

  constructor(seed: number) {
    this.world = new World({ seed });
  }

  async begin(): Promise<void> {
    const { world } = this;
    const [alice, bob, carol] = [world.device("alice"), world.device("bob"), world.device("carol")];
    await this.#open(alice);
    await this.#open(alice);
    const phone = await this.#open(bob);
    const laptop = await linkedDevice(bob, phone.opened.delivery);
    await this.#open(laptop);
    await this.#open(carol);
    this.#readers.push(alice, bob, laptop, carol);
    await world.client("guest");
    const group = await this.#tab(0).opened.client.createGroup({ title: "Life" });
    this.#id = group.id;
    await world.run(group.add(["bob", "carol"]));
    for (const tab of this.#tabs) this.#listen(await world.arrival(tab.opened.client, group.id));
  }

  async step(): Promise<void> {
    const { world } = this;
    const tab = this.#tab(this.#random(this.#tabs.length));
    const { opened } = tab;
    const { network } = opened.delivery;
    this.#choose([
      [30, () => this.#send(tab, 1)],
      [6, () => this.#send(tab, 1 + this.#random(20))],
      [6, () => this.#commit(tab, (conversation) => conversation.update())],
      [3, () => this.#commit(tab, (conversation) => conversation.rename(`T${this.#random(1000)}`))],
      [2, () => this.#commit(tab, (conversation) => this.#toggleGuest(conversation))],
      [8, () => this.#disturb(network)],
      [4, () => this.#calm(network)],
      [4, () => this.#crash(tab)],
      [3, () => this.#freeze(tab)],
      [20, () => world.time.advance(this.#random(3000))],
      [3, () => world.time.advance(this.#random(120_000))],
      [1, () => world.time.advance(this.#random(5_000_000))],
    ]);
    await world.time.advance(this.#random(200));
  }

  /** Lets everything come to rest. */
  async end(): Promise<void> {
    const { world } = this;
    for (const tab of this.#tabs) {
      tab.wake?.();
      this.#calm(tab.opened.delivery.network);
    }
    await world.time.advance(90_000);
    for (const { opened } of this.#tabs) await world.run(opened.client.sync().catch(() => undefined));
    await world.until(async () => {
      for (const { opened } of this.#tabs) if ((await this.#waiting(opened.client)) > 0) return false;
      return true;
    });
    await world.time.advance(10_000);
  }

  async check(): Promise<void> {
    const tabs = this.#readers.map((device) => this.#tabs.find((tab) => tab.device === device));
    const histories = await Promise.all(tabs.map(async (tab) => (tab === undefined ? [] : itemsOf(this.#at(tab)))));
    const sent: string[] = [];
    for (const [device, texts] of this.#stored) {
      const history = histories[this.#readers.indexOf(device)] ?? [];
      for (const text of texts) {
        const own = history.filter((item) => item.kind === "message" && textOf(item.data) === text);
        expect([text, own.length, own[0]?.kind === "message" && own[0].state]).toEqual([text, 1, "sent"]);
        sent.push(text);
      }
    }
    for (const [i, history] of histories.entries()) {
      const texts = history.flatMap((item) => (item.kind === "message" ? [textOf(item.data)] : []));
      expect(new Set(texts).size, `repeated at reader ${i}`).toBe(texts.length);
      expect(
        sent.filter((text) => !texts.includes(text)),
        `lost at reader ${i}`,
      ).toEqual([]);
      const refused = history.flatMap((item) => (item.kind === "undecryptable" ? [item.problem] : []));
      expect(refused, `refused at reader ${i}`).toEqual([]);
    }
    if (process.env["COPPICE_TELL"] !== undefined) {
      const kinds = histories.map((history) => history.filter(({ kind }) => kind === "change").length);
      console.log(
        `sent ${sent.length}, told ${this.#told.length}, changes ${kinds.join()}, ${[...this.#problems].join()}`,
      );
    }
    const told = this.#told.map(({ session, text }) => `${session} ${text}`);
    expect(new Set(told).size).toBe(told.length);
    const [first, ...others] = tabs.flatMap((tab) => (tab === undefined ? [] : [this.#at(tab)]));
    if (first === undefined) throw new Error("There are tabs");
    await this.world.agree(first, ...others);
    for (const code of ["ERR_CLIENT_WAITING", "ERR_CLIENT_CLOCK"]) this.#problems.delete(code);
    expect([...this.#problems]).toEqual([]);
  }

  async #open(device: Device): Promise<Tab> {
    const opened = await device.open();
    const tab: Tab = { device, opened, deafen: this.#hearProblems(opened), wake: undefined };
    this.#tabs.push(tab);
    return tab;
  }

  #hearProblems({ client }: Opened): () => void {
    return client.on("problem", ({ code }) => this.#problems.add(code));
  }

  #listen(conversation: Conversation): void {
    const session = ++this.#sessions;
    conversation.on("message", ({ data }) => this.#told.push({ session, text: textOf(data) }));
  }

  async #send(tab: Tab, count: number): Promise<void> {
    const conversation = this.#at(tab);
    if (tab.wake !== undefined) return;
    for (let i = 0; i < count; i++) {
      const text = `${this.#count++}`;
      const stored = conversation.send(text).then(
        () => {
          const texts = this.#stored.get(tab.device) ?? [];
          this.#stored.set(tab.device, [...texts, text]);
        },
        () => undefined,
      );
      if (this.#random(2) === 0) await this.world.run(stored);
    }
  }

  #commit(tab: Tab, commit: (conversation: Conversation) => Promise<void>): void {
    if (tab.wake === undefined) commit(this.#at(tab)).catch(() => undefined);
  }

  #toggleGuest(conversation: Conversation): Promise<void> {
    return this.#random(2) === 0 ? conversation.add("guest") : conversation.remove("guest");
  }

  #disturb(network: MemoryNetwork): void {
    const calls = ["sendMessages", "submitCommit", "readLog"] as const;
    const call = calls[this.#random(3)] ?? "readLog";
    this.#choose([
      [3, () => (network.reachable = false)],
      [3, () => (network.delay = this.#random(400))],
      [3, () => network.loseReply(call)],
      [2, () => network.slow(call, this.#random(30_000))],
      [1, () => (network.events = "drop")],
      [1, () => (network.events = "duplicate")],
      [1, () => (network.events = "reorder")],
    ]);
  }

  #calm(network: MemoryNetwork): void {
    network.delay = 0;
    network.events = "deliver";
    for (const call of ["sendMessages", "submitCommit", "readLog"] as const) network.slow(call, 0);
    network.reachable = true;
  }

  async #crash(tab: Tab): Promise<void> {
    if (tab.wake !== undefined) return;
    // Whatever a context that is being killed still says, nobody hears.
    tab.deafen();
    tab.opened.crash();
    tab.opened = await tab.device.open();
    tab.deafen = this.#hearProblems(tab.opened);
    this.#listen(this.#at(tab));
  }

  #freeze(tab: Tab): void {
    if (tab.wake === undefined) tab.wake = tab.opened.freeze();
    else {
      tab.wake();
      tab.wake = undefined;
    }
  }

  async #waiting(client: Client): Promise<number> {
    const items = await client.conversation(this.#id)?.history({ limit: 10_000 });
    return (items ?? []).filter((item) => item.kind === "message" && item.state === "sending").length;
  }

  #tab(index: number): Tab {
    const tab = this.#tabs[index];
    if (tab === undefined) throw new Error("There is no such tab");
    return tab;
  }

  #at({ opened }: Tab): Conversation {
    const conversation = opened.client.conversation(this.#id);
    if (conversation === undefined) throw new Error("The conversation is stored");
    return conversation;
  }

  #random(limit: number): number {
    return Math.floor(this.world.time.random() * limit);
  }

  #choose<T>(choices: readonly (readonly [weight: number, act: () => T])[]): T | undefined {
    let at = this.#random(choices.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, act] of choices) {
      if (at < weight) return act();
      at -= weight;
    }
    return undefined;
  }
}

const textOf = (data: Uint8Array): string => new TextDecoder().decode(data);

const itemsOf = (conversation: Conversation) => conversation.history({ limit: 10_000 });

/** `COPPICE_LIVES` lives from `COPPICE_SEED` on. */
const count = Number(process.env["COPPICE_LIVES"] ?? 12);
const first = Number(process.env["COPPICE_SEED"] ?? 1);

describe("adversarial 44, 45, 46: random lives", () => {
  test.each(Array.from({ length: count }, (_, i) => first + i))("life %d", { timeout: 120_000 }, async (seed) => {
    const life = new Life(seed);
    await life.begin();
    for (let step = 0; step < 80; step++) await life.step();
    await life.end();
    await life.check();
  });
});
