/** Where attackers meet: people in real browsers, a real server, links between them that can fail, and one group. */
import { rm } from "node:fs/promises";
import { DeliveryServer } from "../fixtures/delivery-server.ts";
import { AUDITOR, Auditor } from "./auditor.ts";
import { browserPath, call, type EngineName } from "./browsers.ts";
import { Link, Person } from "./people.ts";
import { buildSite } from "./site.ts";

/** Milliseconds that everything gets to arrive once nothing is attacked any more. */
const SETTLE_MS = 120_000;

/** The engines that are installed, of those that are asked for; at least one. */
export function installedEngines(wanted: readonly EngineName[] = ["chromium", "firefox"]): readonly EngineName[] {
  const engines = wanted.filter((engine) => browserPath(engine) !== undefined);
  if (engines.length === 0) throw new Error("No browser was found: set COPPICE_CHROMIUM or COPPICE_FIREFOX");
  return engines;
}

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

export async function until(condition: () => Promise<boolean>, limit: number, what: string): Promise<void> {
  for (const deadline = Date.now() + limit; !(await condition()); await sleep(100)) {
    if (Date.now() > deadline) throw new Error(`It did not happen within ${String(limit)} ms: ${what}`);
  }
}

export class Party {
  readonly server: DeliveryServer;
  readonly auditor: Auditor;
  readonly people: readonly Person[];
  /** The id of the group that all are members of. */
  readonly group: string;
  readonly #site: string;

  private constructor(parts: {
    readonly server: DeliveryServer;
    readonly auditor: Auditor;
    readonly people: readonly Person[];
    readonly group: string;
    readonly site: string;
  }) {
    this.server = parts.server;
    this.auditor = parts.auditor;
    this.people = parts.people;
    this.group = parts.group;
    this.#site = parts.site;
  }

  /** Brings people together, each in one tab of a browser of its own; the first makes the group, to which the auditor belongs. */
  static async gather(guests: readonly (readonly [name: string, engine: EngineName])[]): Promise<Party> {
    const site = await buildSite();
    const links = await Promise.all(guests.map(() => Link.open()));
    const server = await DeliveryServer.start({ site, flags: links.flatMap(({ origin }) => ["--origin", origin]) });
    const people: Person[] = [];
    for (const [index, link] of links.entries()) {
      link.leadTo(server.port);
      const [name = "", engine = "chromium"] = guests[index] ?? [];
      const person = await Person.create(name, engine, link);
      await person.openTab();
      people.push(person);
    }
    const auditor = await Auditor.register(server.url);
    const group = await makeGroup("Party", people);
    await auditor.join();
    return new Party({ server, auditor, people, group, site });
  }

  /** Makes one more group of all; the auditor joins it when it audits. */
  makeGroup(title: string): Promise<string> {
    return makeGroup(title, this.people);
  }

  person(name: string): Person {
    const found = this.people.find((person) => person.name === name);
    if (found === undefined) throw new Error(`${name} is not here`);
    return found;
  }

  /** Waits until nothing of these people is on its way. */
  async settle(who: readonly Person[]): Promise<void> {
    for (const person of who) {
      await until(
        async () => {
          const history = await call(person.tab, "history", [this.group], 120_000);
          const status = await call(person.tab, "status", [this.group]);
          return status === "active" && history.every(({ state }) => state !== "sending");
        },
        SETTLE_MS,
        `${person.name}'s messages leave`,
      );
    }
  }

  /** Ends all that fails on the way, and waits until all have everything and stand in one epoch. */
  async calmDown(): Promise<void> {
    for (const { link } of this.people) Object.assign(link, { state: "up", delay: 0 });
    await this.settle(this.people);
    for (const person of this.people) await call(person.tab, "sync", []);
    await until(
      async () => new Set(await Promise.all(this.people.map(({ tab }) => call(tab, "epoch", [this.group])))).size === 1,
      SETTLE_MS,
      "everybody reaches the same epoch",
    );
  }

  async disperse(): Promise<void> {
    for (const person of this.people) await person.dispose();
    await this.auditor.close();
    await this.server.dispose();
    await rm(this.#site, { recursive: true, force: true });
  }
}

/** Has the first of these people make a group with the others and the auditor; resolves with its id once they have joined. */
async function makeGroup(title: string, [host, ...others]: readonly Person[]): Promise<string> {
  if (host === undefined) throw new RangeError("A party has at least one guest");
  const group = await call(host.tab, "create", [title]);
  const added = await call(host.tab, "add", [group, [...others.map(({ name }) => name), AUDITOR]]);
  if (added !== "ok") throw new Error(`The group could not be made: ${added}`);
  for (const person of others) {
    await until(() => call(person.tab, "has", [group]), 30_000, `${person.name} joins`);
  }
  return group;
}
