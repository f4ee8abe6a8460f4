/** Short random lives of small groups, for properties of what one member has of them. */
import fc from "fast-check";
import type { Bytes } from "../../src/codec/bytes.ts";
import { utf8 } from "../../src/codec/bytes.ts";
import { createProposal, createUpdateProposal } from "../../src/group/send.ts";
import { basicCredential } from "../../src/identity/credential.ts";
import type { GroupState } from "../../src/state/group-state.ts";
import { randomBytes } from "@coppice/kit";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import { ANYBODY, at, Group, Member, testRules } from "./group.ts";

const KINDS = [
  "send",
  "send",
  "send",
  "send",
  "late",
  "commit",
  "commit",
  "add",
  "remove",
  "propose",
  "rename",
] as const;

export interface Step {
  readonly kind: (typeof KINDS)[number];
  readonly a: number;
}

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({ kind: fc.constantFrom(...KINDS), a: fc.nat({ max: 99 }) }),
  { minLength: 5, maxLength: 12 },
);

const MOST_MEMBERS = 6;
/** Short, so that what is dropped is seen. */
const rules = testRules({
  authentication: ANYBODY,
  limits: { ...DEFAULT_LIMITS, pastEpochs: 2 },
  findPsk: () => Promise.resolve(utf8("known to all")),
});

/** What a step brings to the member who is watched: messages to open, or another state. */
export interface Happening {
  readonly messages: readonly Bytes[];
  /** Not by messages alone. */
  readonly state: GroupState | undefined;
}

/** A group, seen by its first member. */
export class RandomLife {
  readonly #group: Group;
  readonly #late: Bytes[] = [];
  #born: number;

  private constructor(group: Group) {
    this.#group = group;
    this.#born = group.members.length;
  }

  static async begin(): Promise<RandomLife> {
    return new RandomLife(await Group.of(["member 0", "member 1", "member 2"], { rules }));
  }

  get watched(): Member {
    return at(this.#group.members, 0);
  }

  async take({ kind, a }: Step): Promise<Happening> {
    const { members } = this.#group;
    const other = at(members, 1 + (a % (members.length - 1)));
    switch (kind) {
      case "send": {
        if (other.state.proposals.size > 0) return { messages: [], state: undefined };
        const sent: Bytes[] = [];
        for (let i = 0; i <= a % 3; i++) sent.push(await other.send(`${other.name} ${String(a)} ${String(i)}`));
        if (a % 2 === 0) sent.reverse();
        // Some arrive later, perhaps in another epoch.
        if (a % 5 === 0) this.#late.push(...sent.splice(0, 1));
        return { messages: sent, state: undefined };
      }
      case "late":
        return { messages: this.#late.splice(0), state: undefined };
      case "commit":
        return this.#changed(() => this.#group.commit(at(members, a % members.length)));
      case "add":
        if (members.length >= MOST_MEMBERS) return this.#changed(() => this.#group.commit(other));
        return this.#changed(async () => {
          const count = 1 + (a % 3);
          const born = Array.from({ length: count }, () => Member.create(`member ${String(this.#born++)}`, { rules }));
          await this.#group.add(other, await Promise.all(born));
        });
      case "remove": {
        if (members.length < 3) return this.#changed(() => this.#group.commit(other));
        const removed = at(members, members.length - 1);
        const proposals = [{ proposalType: 3, removed: removed.state.leafIndex } as const];
        return this.#changed(() => this.#group.commit(this.watched, { proposals }));
      }
      case "rename": {
        const leaf = { credential: basicCredential(`${other.name} of ${String(a)}`) };
        return this.#changed(() => this.#group.commit(other, { leaf }));
      }
      case "propose":
        return this.#changed(async () => {
          if (a % 2 === 0) await this.#group.propose(other, await createUpdateProposal(other.state, other));
          const psk = { pskType: "external", pskId: utf8(`psk ${String(a)}`), pskNonce: randomBytes(32) } as const;
          const { watched } = this;
          await this.#group.propose(watched, await createProposal(watched.state, { proposalType: 4, psk }, watched));
        });
    }
  }

  async #changed(change: () => Promise<unknown>): Promise<Happening> {
    await change();
    return { messages: [], state: this.watched.state };
  }
}
