/**
 * Random lives of groups. After each epoch all members agree, whoever left opens nothing, and no key seals twice. `COPPICE_PROPERTY_RUNS` sets how many lives are lived (20),
 * `COPPICE_PROPERTY_MEMBERS` how large a group grows (12). An observer without secrets follows what is public.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { toHex, utf8 } from "../../src/codec/bytes.ts";
import type { CreateCommitOptions } from "../../src/commit/create.ts";
import type { CipherSuite } from "../../src/crypto/cipher-suite.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import type { Proposal } from "../../src/framing/proposal.ts";
import type { GroupState, PublicGroupState } from "../../src/group-state.ts";
import { decodeMessage } from "../../src/framing/mls-message.ts";
import { createGroupInfo, exportSecret } from "../../src/group/export.ts";
import { processMessage } from "../../src/group/receive.ts";
import { createProposal, createUpdateProposal } from "../../src/group/send.ts";
import { decodeGroupState, encodeGroupState } from "../../src/group/serialise.ts";
import { observeGroup, observeMessage } from "../../src/public-group.ts";
import type { Rules } from "../../src/rules.ts";
import { at, Group, Member, TEST_EXTENSION, testRules } from "../support/group.ts";

const RUNS = Number(process.env["COPPICE_PROPERTY_RUNS"] ?? 20);
const MOST_MEMBERS = Number(process.env["COPPICE_PROPERTY_MEMBERS"] ?? 12);

/**
 * A suite that refuses to seal with a key that sealed before. That is more than the pair of key and nonce, which the random
 * reuse guard would make differ even if a ratchet stood still.
 */
function watched(suite: CipherSuite): CipherSuite {
  const used = new Set<string>();
  const seal: CipherSuite["aead"]["seal"] = (key, nonce, aad, plaintext) => {
    if (used.has(toHex(key))) throw new Error("a key sealed twice");
    used.add(toHex(key));
    return suite.aead.seal(key, nonce, aad, plaintext);
  };
  return { ...suite, aead: { ...suite.aead, seal } };
}

interface Operation {
  readonly kind:
    | "add"
    | "remove"
    | "update"
    | "psk"
    | "extensions"
    | "refresh"
    | "race"
    | "reload"
    | "talk"
    | "leave"
    | "external"
    | "resync";
  /** Picks members and amounts. */
  readonly a: number;
  readonly b: number;
  readonly wire: boolean;
}

const operation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.constantFrom(
    ...([
      "add",
      "add",
      "remove",
      "update",
      "psk",
      "extensions",
      "refresh",
      "race",
      "reload",
      "talk",
      "leave",
      "external",
      "resync",
    ] as const),
  ),
  a: fc.nat({ max: 1000 }),
  b: fc.nat({ max: 1000 }),
  wire: fc.boolean(),
});

const pskOf = (name: Bytes): Bytes => utf8(`value of ${toHex(name)}`);
const rules: Rules = testRules({
  findPsk: (id) => Promise.resolve(id.pskType === "external" ? pskOf(id.pskId) : undefined),
});

class Life {
  readonly #suite: CipherSuite;
  readonly group: Group;
  /** Members who left, with what they knew last. */
  readonly #left: { readonly member: Member; readonly before: GroupState }[] = [];
  #observer: PublicGroupState | undefined;
  #born = 2;

  constructor(suite: CipherSuite, group: Group) {
    this.#suite = suite;
    this.group = group;
    group.onHandshake = (message) => this.#observe(message);
  }

  #newcomer(): Promise<Member> {
    return Member.create(`member ${String(this.#born++)}`, { suite: this.#suite, rules });
  }

  #pick(number: number): Member {
    return at(this.group.members, number % this.group.members.length);
  }

  #other(member: Member, number: number): Member {
    const others = this.group.members.filter((candidate) => candidate !== member);
    return at(others, number % others.length);
  }

  async #commit(committer: Member, options: Partial<CreateCommitOptions>): Promise<void> {
    const before = this.group.members.map((member) => ({ member, before: member.state }));
    await this.group.commit(committer, options);
    this.#left.push(...before.filter(({ member }) => !this.group.members.includes(member)));
  }

  /** An observer follows what it can see; an encrypted handshake leaves it behind. */
  async #observe(message: Bytes): Promise<void> {
    if (this.#observer === undefined) return;
    const { wireFormat } = decodeMessage(message);
    this.#observer =
      wireFormat === "mls_public_message"
        ? (await observeMessage(this.#observer, message, { rules })).state
        : undefined;
  }

  async live({ kind, a, b, wire }: Operation): Promise<void> {
    const { members } = this.group;
    const first = this.#pick(a);
    const options = { wireFormat: wire ? "mls_public_message" : "mls_private_message" } as const;
    if (kind === "add" || members.length < 2) {
      const count = Math.min(1 + (b % 3), MOST_MEMBERS - members.length);
      const newcomers = await Promise.all(Array.from({ length: count }, () => this.#newcomer()));
      if (count > 0) await this.group.add(first, newcomers, { ...options, forcePath: a % 2 === 0 });
      return;
    }
    const second = this.#other(first, b);
    switch (kind) {
      case "remove":
        await this.#commit(first, {
          ...options,
          proposals: [{ proposalType: 3, removed: second.state.leafIndex }],
        });
        return;
      case "leave": {
        const leave: Proposal = { proposalType: 3, removed: second.state.leafIndex };
        await this.group.propose(second, await createProposal(second.state, leave, { ...second, ...options }));
        await this.#commit(first, options);
        return;
      }
      case "update":
        await this.group.propose(second, await createUpdateProposal(second.state, { ...second, ...options }));
        await this.#commit(first, options);
        return;
      case "psk": {
        const psk = { pskType: "external", pskId: utf8(String(a)), pskNonce: new Uint8Array(32).fill(b) } as const;
        await this.#commit(first, { ...options, proposals: [{ proposalType: 4, psk }] });
        return;
      }
      case "extensions": {
        const extensions = a % 3 === 0 ? [] : [{ extensionType: TEST_EXTENSION, extensionData: utf8(String(b)) }];
        await this.#commit(first, { ...options, proposals: [{ proposalType: 7, extensions }] });
        return;
      }
      case "refresh":
        await this.#commit(first, options);
        return;
      case "race":
        await this.#race(first, second, options);
        return;
      case "reload":
        first.state = { ...(await decodeGroupState(encodeGroupState(first.state))), suite: this.#suite };
        return;
      case "external":
        if (members.length < MOST_MEMBERS) await this.group.joinExternally(await this.#newcomer());
        return;
      case "resync": {
        const again = await Member.create(second.name, { suite: this.#suite, rules });
        const before = second.state;
        await this.group.joinExternally(again, { replaces: second.state.leafIndex });
        this.#left.push({ member: second, before });
        return;
      }
      case "talk":
        await this.#talk(first, second, b);
        return;
      default:
        kind satisfies never;
    }
  }

  /** Two Commits for one epoch: the first wins, the other is dropped and its maker follows the winner. */
  async #race(first: Member, second: Member, options: Partial<CreateCommitOptions>): Promise<void> {
    await second.commit(options);
    await this.#commit(first, options);
  }

  /** Messages of two senders arrive in another order, and some are lost. */
  async #talk(first: Member, second: Member, seed: number): Promise<void> {
    const sent: { readonly from: Member; readonly text: string; readonly message: Bytes }[] = [];
    for (let i = 0; i < 4; i++) {
      const from = i % 2 === 0 ? first : second;
      const text = `${from.name} ${String(i)}`;
      sent.push({ from, text, message: await from.send(text) });
    }
    for (const [i, member] of this.group.members.entries()) {
      const arrived = sent.filter((_, j) => (seed + i + j) % 4 !== 0);
      if ((seed + i) % 2 === 0) arrived.reverse();
      for (const { from, text, message } of arrived) {
        if (from === member) continue;
        const received = await member.receive(message);
        expect(received.kind === "application" && received.data).toEqual(utf8(text));
      }
    }
  }

  async expectSound(): Promise<void> {
    this.group.expectAgreement();
    const request = { label: "property", context: utf8("x"), length: 16 };
    const exported = this.group.members.map(({ state }) => toHex(exportSecret(state, request)));
    expect(new Set(exported).size).toBe(1);
    const sender = at(this.group.members, 0);
    if (this.#observer === undefined) {
      const info = await createGroupInfo(sender.state, sender.signer);
      this.#observer = await observeGroup(info, { suite: this.#suite, rules });
    }
    const { context, interimTranscriptHash, confirmationTag } = this.#observer;
    const { state } = sender;
    expect({ context, interimTranscriptHash, confirmationTag }).toEqual({
      context: state.context,
      interimTranscriptHash: state.interimTranscriptHash,
      confirmationTag: state.confirmationTag,
    });
    const message = await sender.send("not for everyone");
    for (const { member, before } of this.#left) {
      expect(member.state.status).toBe("removed");
      await expect(member.peek(message)).rejects.toMatchObject({ code: "ERR_MLS_STATE" });
      // What it knew last, set to the group's epoch by force.
      const { epoch } = sender.state.context;
      const forced = { ...before, context: { ...before.context, epoch } };
      await expect(processMessage(forced, message, { rules })).rejects.toMatchObject({ code: "ERR_MLS_AEAD" });
    }
  }
}

test(
  "members agree after each epoch, those who left open nothing, and no key seals twice (adversarial 11, adversarial 12, adversarial 33, R-9.1-3, R-8.7-1)",
  async () => {
    const real = await getCipherSuite(1);
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 4, maxLength: 9 }), async (operations) => {
        const suite = watched(real);
        const life = new Life(suite, await Group.of(["member 0", "member 1"], { suite, rules }));
        for (const next of operations) {
          await life.live(next);
          await life.expectSound();
        }
      }),
      { numRuns: RUNS },
    );
  },
  RUNS * 30_000,
);
