/**
 * Random lives of groups of 2 to 40 members. After each epoch all members agree, whoever left opens nothing, and no key seals
 * twice. An observer without secrets follows what is public. `COPPICE_PROPERTY_RUNS` sets how many lives are lived: 100;
 * `npm run property` lives 2,000.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { toHex, utf8 } from "../../src/codec/bytes.ts";
import { opaque, struct } from "../../src/codec/codec.ts";
import type { CreateCommitOptions } from "../../src/commit/create.ts";
import { basicCredential } from "../../src/identity/credential.ts";
import type { CipherSuite } from "../../src/crypto/cipher-suite.ts";
import { getCipherSuite, SUPPORTED_CIPHER_SUITES } from "../../src/crypto/cipher-suite.ts";
import { registerPqCipherSuites } from "../../src/drafts/pq.ts";
import { defineProposalType } from "../../src/proposal/custom-proposal.ts";
import type { Proposal } from "../../src/framing/proposal.ts";
import type { GroupState, PublicGroupState } from "../../src/state/group-state.ts";
import { decodeMessage } from "../../src/framing/mls-message.ts";
import { createGroupInfo, exportSecret } from "../../src/group/export.ts";
import { processMessage } from "../../src/group/receive.ts";
import { createProposal, createUpdateProposal } from "../../src/group/send.ts";
import { decodeGroupState, encodeGroupState } from "../../src/group/serialise.ts";
import type { Successor, SuccessorOptions } from "../../src/group/successor.ts";
import { branchGroup, reinitGroup } from "../../src/group/successor.ts";
import { observeGroup, observeMessage } from "../../src/group/public-group.ts";
import type { Rules } from "../../src/rules.ts";
import { at, Group, LIFETIME, Member, TEST_EXTENSION, testRules } from "../support/group.ts";
import { watchingSeals } from "../support/watch-seals.ts";

const RUNS = Number(process.env["COPPICE_PROPERTY_RUNS"] ?? 100);
const MOST_MEMBERS = 40;

/**
 * A suite that refuses to seal with a key that sealed before. That is more than the pair of key and nonce, which the random
 * reuse guard would make differ even if a ratchet stood still.
 */
function watched(suite: CipherSuite): CipherSuite {
  const used = new Set<string>();
  return watchingSeals(suite, (key) => {
    if (used.has(toHex(key))) throw new Error("a key sealed twice");
    used.add(toHex(key));
  });
}

/** Adding is twice as likely as the others, so that groups last. */
const KINDS = [
  "add",
  "add",
  "remove",
  "update",
  "psk",
  "resumption",
  "extensions",
  "custom",
  "refresh",
  "race",
  "reload",
  "talk",
  "leave",
  "external",
  "resync",
  "branch",
  "reinit",
] as const;

interface Operation {
  readonly kind: (typeof KINDS)[number];
  /** Picks members and amounts. */
  readonly a: number;
  readonly b: number;
  readonly wire: boolean;
}

const operation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.constantFrom(...KINDS),
  a: fc.nat({ max: 1000 }),
  b: fc.nat({ max: 1000 }),
  wire: fc.boolean(),
});

/** Mostly small groups: a step takes as long as all its members do. */
const founders = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 2, max: 8 }) },
  { weight: 1, arbitrary: fc.integer({ min: 9, max: MOST_MEMBERS }) },
);

/** Who founds a group, with which suite. All suites are drawn, those of drafts too; the larger groups have the one that is fast. */
const beginning = fc.oneof(
  { weight: 3, arbitrary: fc.record({ suiteId: fc.constant(1), size: founders }) },
  {
    weight: 2,
    arbitrary: fc.record({
      suiteId: fc.constantFrom(...SUPPORTED_CIPHER_SUITES, ...registerPqCipherSuites()),
      size: fc.integer({ min: 2, max: 6 }),
    }),
  },
);

const pskOf = (name: Bytes): Bytes => utf8(`value of ${toHex(name)}`);
const note = defineProposalType<{ readonly text: Bytes }>({
  ...{ customType: 0xf001, external: false, pathRequired: false, order: "last" },
  body: struct({ text: opaque }),
});
const rules: Rules = testRules({
  proposalTypes: [note],
  findPsk: (id) => Promise.resolve(id.pskType === "external" ? pskOf(id.pskId) : undefined),
});

class Life {
  readonly #suite: CipherSuite;
  group: Group;
  /** Members who left, with what they knew last. */
  readonly #left: { readonly member: Member; readonly before: GroupState }[] = [];
  #observer: PublicGroupState | undefined;
  #born: number;
  #successors = 0;

  constructor(suite: CipherSuite, group: Group) {
    this.#suite = suite;
    this.group = this.#watch(group);
    this.#born = group.members.length;
  }

  #watch(group: Group): Group {
    group.onHandshake = (message) => this.#observe(message);
    return group;
  }

  #newcomer(): Promise<Member> {
    return Member.create(`member ${String(this.#born++)}`, { suite: this.#suite, rules });
  }

  #nonce(byte: number): Bytes {
    return new Uint8Array(this.#suite.hash.Nh).fill(byte);
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
        const psk = { pskType: "external", pskId: utf8(String(a)), pskNonce: this.#nonce(b) } as const;
        await this.#commit(first, { ...options, proposals: [{ proposalType: 4, psk }] });
        return;
      }
      case "resumption":
        await this.#resume(first, a, options);
        return;
      case "custom":
        await this.group.propose(
          second,
          await createProposal(second.state, note.propose({ text: utf8(String(b)) }), { ...second, ...options }),
        );
        await this.#commit(first, { ...options, proposals: [note.propose({ text: utf8(String(a)) })] });
        return;
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
      case "branch":
        await this.#branch(first, second);
        return;
      case "reinit":
        await this.#reinit(first, second, options);
        return;
      default:
        kind satisfies never;
    }
  }

  /** A resumption PSK of an epoch that all members were in. */
  async #resume(first: Member, number: number, options: Partial<CreateCommitOptions>): Promise<void> {
    const epochs = [...first.state.resumptionPsks.keys()].filter((epoch) =>
      this.group.members.every(({ state }) => state.resumptionPsks.has(epoch)),
    );
    if (epochs.length === 0) return;
    const psk = {
      ...({ pskType: "resumption", usage: "application", pskGroupId: first.state.context.groupId } as const),
      ...{ pskEpoch: at(epochs, number % epochs.length), pskNonce: this.#nonce(number) },
    };
    await this.#commit(first, { ...options, proposals: [{ proposalType: 4, psk }] });
  }

  /** Two members go on by themselves for a message; the group does not notice. */
  async #branch(first: Member, second: Member): Promise<void> {
    await this.#succeed([first, second], (options) => branchGroup(first.state, options));
  }

  /** All move to a new group. */
  async #reinit(first: Member, second: Member, options: Partial<CreateCommitOptions>): Promise<void> {
    const before = this.group.members.map((member) => ({ member, before: member.state }));
    const groupId = utf8(`group ${String(++this.#successors)}`);
    const announced: Proposal = { proposalType: 5, groupId, version: 1, cipherSuite: this.#suite.id, extensions: [] };
    await this.#commit(first, { ...options, proposals: [announced] });
    const creator = this.group.members.filter((member) => member !== second);
    this.group = this.#watch(
      await this.#succeed([second, ...creator], (given) => reinitGroup(second.state, { ...given, suite: this.#suite })),
    );
    this.#left.push(...before);
    this.#observer = undefined;
  }

  /** `members[0]` makes a group that succeeds this one, for all of `members`. */
  async #succeed(members: readonly Member[], make: (options: SuccessorOptions) => Promise<Successor>): Promise<Group> {
    const next = await Promise.all(members.map(({ name }) => Member.create(name, { suite: this.#suite, rules })));
    const packages = await Promise.all(next.map((member) => member.keyPackage()));
    const creator = at(next, 0);
    const { signer, capabilities, name } = creator;
    const { state, welcome } = await make({
      ...{ rules, signer, capabilities, credential: basicCredential(name), lifetime: LIFETIME },
      keyPackages: packages.slice(1).map(({ keyPackage }) => keyPackage),
    });
    creator.state = state;
    for (const [i, member] of next.entries()) {
      if (i > 0) await member.join(welcome, at(packages, i), { findGroup: () => at(members, i).state });
    }
    const group = Group.joined(next);
    await group.chat(creator, "in the new group");
    return group;
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
      // A group that was closed reads what was sent in it before, and this is of another group.
      const code = { removed: "ERR_MLS_STATE", reinitialised: "ERR_MLS_EPOCH", active: "none" }[member.state.status];
      await expect(member.peek(message)).rejects.toMatchObject({ code });
      // What it knew last, set to the group and its epoch by force.
      const { groupId, epoch } = sender.state.context;
      const forced = { ...before, context: { ...before.context, groupId, epoch } };
      await expect(processMessage(forced, message, { rules })).rejects.toMatchObject({ code: "ERR_MLS_AEAD" });
    }
  }
}

test(
  "members agree after each epoch, those who left open nothing, and no key seals twice (adversarial 11, adversarial 12, adversarial 33, R-9.1-3, R-8.7-1)",
  async () => {
    await fc.assert(
      fc.asyncProperty(beginning, fc.array(operation, { minLength: 4, maxLength: 9 }), async (begun, operations) => {
        const { suiteId, size } = begun;
        const suite = watched(await getCipherSuite(suiteId));
        const names = Array.from({ length: size }, (_, i) => `member ${String(i)}`);
        const life = new Life(suite, await Group.of(names, { suite, rules }));
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
