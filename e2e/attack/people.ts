/** People under attack: each with a profile, a link to the server, tabs, and a record of what was sent. */
import type { Page as Tab } from "playwright";
import { call, type EngineName, Profile, shown } from "./browsers.ts";
import { Link } from "./link.ts";

export class Person {
  readonly name: string;
  readonly profile: Profile;
  readonly link: Link;
  readonly tabs: Tab[] = [];
  /** Texts that the SDK took over (`send` resolved), in this person's order. */
  readonly accepted: string[] = [];
  /** Codes of `problem` events, with how often. */
  readonly problems = new Map<string, number>();
  #sent = 0;

  private constructor(name: string, profile: Profile, link: Link) {
    this.name = name;
    this.profile = profile;
    this.link = link;
  }

  static async create(name: string, engine: EngineName, link: Link): Promise<Person> {
    return new Person(name, await Profile.create(engine), link);
  }

  get tab(): Tab {
    const [first] = this.tabs;
    if (first === undefined) throw new Error(`${this.name} has no tab open`);
    return first;
  }

  /** Opens one more tab with a client. A link that is down stops a first sign-in only. */
  async openTab(): Promise<Tab> {
    const { state, delay } = this.link;
    // The page itself comes over the same link: a PWA would have it from its cache.
    Object.assign(this.link, { state: "up", delay: 0 });
    const tab = await this.profile.openTab(this.link.origin);
    Object.assign(this.link, { state, delay });
    const opened = await call(tab, "open", [this.name]);
    if (opened !== "ok") throw new Error(`${this.name} could not open a client: ${opened}`);
    this.tabs.push(tab);
    return tab;
  }

  /** Opens a client in a tab that shows the page again. */
  async openAgain(tab: Tab): Promise<void> {
    await shown(tab);
    const opened = await call(tab, "open", [this.name]);
    if (opened !== "ok") throw new Error(`${this.name} could not open a client again: ${opened}`);
  }

  /** Kills the browser; tabs are gone, and nobody knows what of `say` was taken over. */
  async kill(): Promise<void> {
    await this.profile.kill();
    this.tabs.splice(0);
  }

  /** Strikes tabs that were opened in a browser that is no more. */
  forgetClosedTabs(): void {
    for (const tab of this.tabs.filter((one) => one.isClosed())) this.tabs.splice(this.tabs.indexOf(tab), 1);
  }

  async closeTab(tab: Tab): Promise<void> {
    await this.#noteProblems(tab);
    this.tabs.splice(this.tabs.indexOf(tab), 1);
    await tab.close();
  }

  /** Ends the browser; tabs are gone. */
  async quit(): Promise<void> {
    for (const tab of this.tabs.splice(0)) await this.#noteProblems(tab);
    await this.profile.stop();
  }

  /**
   * Queues `count` messages in a tab; those that the SDK took over count as accepted. If the tab goes meanwhile, nobody knows:
   * those that the history has count all the same.
   */
  async say(tab: Tab, conversation: string, count: number): Promise<void> {
    const texts = Array.from({ length: count }, () => `${this.name} ${String(++this.#sent)}`);
    const outcomes = await call(tab, "send", [conversation, texts]).catch((error: unknown) => {
      if (tab.isClosed() || isInterruption(error)) return [];
      throw error;
    });
    outcomes.forEach((outcome, index) => {
      const text = texts[index];
      if (outcome === "ok" && text !== undefined) this.accepted.push(text);
    });
  }

  /** Texts that `send` took over and that were undone by restoring an older profile count no more as accepted here. */
  forgetAccepted(from: number): void {
    this.accepted.splice(from);
  }

  async noteProblems(): Promise<void> {
    for (const tab of this.tabs) await this.#noteProblems(tab);
  }

  async dispose(): Promise<void> {
    this.tabs.splice(0);
    await this.profile.dispose();
    await this.link.close();
  }

  async #noteProblems(tab: Tab): Promise<void> {
    const problems = await call(tab, "problems", [], 5000).catch(() => []);
    for (const { code } of problems) this.problems.set(code, (this.problems.get(code) ?? 0) + 1);
  }
}

/** Whether a call failed because its page was reloaded, closed or killed. */
function isInterruption(error: unknown): boolean {
  const message = error instanceof Error ? error.message : "";
  return /context was destroyed|has been closed|navigat|crashed|disposed|disconnected/i.test(message);
}

export { Link };
