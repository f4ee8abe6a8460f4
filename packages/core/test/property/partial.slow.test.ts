/**
 * Random lives of groups of 2 to 40 members, full and partial. After each epoch all agree, every partial member refuses a forged
 * annotation before it follows the genuine one, and whoever talks is read by everybody. `COPPICE_PROPERTY_RUNS` sets how many lives are
 * lived, one in twenty: 3; `npm run property` lives 100.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { utf8 } from "../../src/codec/bytes.ts";
import type { CipherSuite } from "../../src/crypto/cipher-suite.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import { processAnnotatedCommit } from "../../src/drafts/partial/process-commit.ts";
import { createPartialProposal, createPartialUpdateProposal } from "../../src/drafts/partial/propose.ts";
import { downgradeToPartial, upgradeToFull } from "../../src/drafts/partial/upgrade.ts";
import { isCoppiceError } from "../../src/errors.ts";
import { exportRatchetTree } from "../../src/group/export.ts";
import { createProposal, createUpdateProposal } from "../../src/group/send.ts";
import { at, Group, Member, TEST_EXTENSION, testRules } from "../support/group.ts";
import { MixedGroup, PartialMember } from "../support/mixed-group.ts";

const RUNS = Math.ceil(Number(process.env["COPPICE_PROPERTY_RUNS"] ?? 60) / 20);
const MOST_MEMBERS = 40;

const KINDS = [
  "addPartial",
  "addPartial",
  "addPartial",
  "addFull",
  "refresh",
  "refresh",
  "psk",
  "extensions",
  "removePartial",
  "removeFull",
  "update",
  "updatePartial",
  "leave",
  "external",
  "talk",
  "upgrade",
  "downgrade",
] as const;

interface Operation {
  readonly kind: (typeof KINDS)[number];
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
  { weight: 5, arbitrary: fc.integer({ min: 2, max: 6 }) },
  { weight: 1, arbitrary: fc.integer({ min: 7, max: 20 }) },
);

const rules = testRules({ findPsk: () => Promise.resolve(utf8("known to all")) });

class MixedLife {
  readonly mix: MixedGroup;
  readonly #suite: CipherSuite;
  #born: number;

  constructor(suite: CipherSuite, group: Group) {
    this.#suite = suite;
    this.mix = new MixedGroup(group);
    this.#born = group.members.length;
  }

  /** Flips a bit of each annotation: it is refused, and the state goes on with the genuine one. */
  distrust(seed: number): void {
    this.mix.onAnnotated = async ({ state }, annotated) => {
      const forged = annotated.slice();
      const place = seed % forged.length;
      forged[place] = (forged[place] ?? 0) ^ (1 << (seed % 8));
      const error: unknown = await processAnnotatedCommit(state, forged, { rules }).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(isCoppiceError(error)).toBe(true);
    };
  }

  get #size(): number {
    return this.mix.group.members.length + this.mix.partials.length;
  }

  #newcomers(count: number): Promise<Member[]> {
    const room = Math.max(0, Math.min(count, MOST_MEMBERS - this.#size));
    const make = (): Promise<Member> => Member.create(`member ${String(this.#born++)}`, { suite: this.#suite, rules });
    return Promise.all(Array.from({ length: room }, make));
  }

  async take({ kind, a, b, wire }: Operation): Promise<void> {
    const { mix } = this;
    const { members } = mix.group;
    const committer = at(members, a % members.length);
    const wireFormat = wire ? "mls_public_message" : "mls_private_message";
    const partial = mix.partials[b % Math.max(1, mix.partials.length)];
    this.distrust(a * 1009 + b);
    switch (kind) {
      case "addPartial": {
        const newcomers = await this.#newcomers(1 + (b % 4));
        if (newcomers.length > 0) await mix.addPartials(committer, newcomers, { wireFormat, forcePath: b % 2 === 0 });
        return;
      }
      case "addFull": {
        const newcomers = await this.#newcomers(1 + (b % 3));
        if (newcomers.length > 0) await this.#addFull(committer, newcomers);
        return;
      }
      case "refresh":
        await mix.commit(committer, { wireFormat, forcePath: true });
        return;
      case "psk": {
        const psk = {
          pskType: "external",
          pskId: utf8(`psk ${String(b)}`),
          pskNonce: new Uint8Array(this.#suite.hash.Nh),
        } as const;
        await mix.commit(committer, { wireFormat, proposals: [{ proposalType: 4, psk }] });
        return;
      }
      case "extensions": {
        const extensions = [{ extensionType: TEST_EXTENSION, extensionData: utf8(String(b)) }];
        await mix.commit(committer, { wireFormat, proposals: [{ proposalType: 7, extensions }] });
        return;
      }
      case "removePartial":
        if (partial === undefined) return;
        await mix.commit(committer, { wireFormat, proposals: [{ proposalType: 3, removed: partial.state.leafIndex }] });
        return;
      case "removeFull": {
        const removed = members.filter((member) => member !== committer)[b % Math.max(1, members.length - 1)];
        if (removed === undefined) return;
        await mix.commit(committer, { wireFormat, proposals: [{ proposalType: 3, removed: removed.state.leafIndex }] });
        return;
      }
      case "update": {
        const other = members.find((member) => member !== committer);
        if (other === undefined) return;
        await mix.propose(other, await createUpdateProposal(other.state, { rules, signer: other.signer, wireFormat }));
        await mix.commit(committer, { wireFormat });
        return;
      }
      case "updatePartial":
        if (partial === undefined) return;
        await mix.proposePartially(
          partial,
          await createPartialUpdateProposal(partial.state, { rules, signer: partial.client.signer, wireFormat }),
        );
        await mix.commit(committer, { wireFormat });
        return;
      case "leave": {
        if (partial === undefined) return;
        const remove = { proposalType: 3, removed: partial.state.leafIndex } as const;
        const options = { rules, signer: partial.client.signer, wireFormat } as const;
        if (b % 2 === 0)
          await mix.proposePartially(partial, await createPartialProposal(partial.state, remove, options));
        else
          await mix.propose(
            committer,
            await createProposal(committer.state, remove, { ...options, signer: committer.signer }),
          );
        await mix.commit(committer, { wireFormat });
        return;
      }
      case "external": {
        const [newcomer] = await this.#newcomers(1);
        if (newcomer !== undefined) await mix.joinExternally(newcomer);
        return;
      }
      case "talk": {
        await mix.chat(committer, `from a full member ${String(b)}`);
        if (partial !== undefined) await mix.chat(partial, `from a partial member ${String(b)}`);
        return;
      }
      case "upgrade": {
        if (partial === undefined) return;
        partial.client.state = (await upgradeToFull(partial.state, exportRatchetTree(mix.host.state), { rules })).state;
        mix.partials = mix.partials.filter((other) => other !== partial);
        members.push(partial.client);
        mix.expectAgreement();
        return;
      }
      case "downgrade": {
        const last = members.at(-1);
        if (last === undefined || members.length < 2) return;
        members.pop();
        mix.partials.push(new PartialMember(last, downgradeToPartial(last.state)));
        mix.expectAgreement();
      }
    }
  }

  /** Full members join by the same Commit that partial ones follow. */
  async #addFull(committer: Member, newcomers: readonly Member[]): Promise<void> {
    const before = committer.state;
    let commit: Bytes | undefined;
    const { group } = this.mix;
    const { onHandshake } = group;
    group.onHandshake = (message) => {
      commit = message;
      return Promise.resolve();
    };
    const known = new Set([...before.tree.members()].map(([index]) => index));
    await group.add(committer, newcomers);
    group.onHandshake = onHandshake;
    if (commit === undefined) throw new Error("nobody was added");
    const after = committer.state;
    const added = [...after.tree.members()].flatMap(([leafIndex]) => (known.has(leafIndex) ? [] : [{ leafIndex }]));
    await this.mix.followAll({ commit, before, after, committer: before.leafIndex, added });
  }
}

test("partial and full members agree after each epoch, and forged annotations are refused", async () => {
  const suite = await getCipherSuite(1);
  await fc.assert(
    fc.asyncProperty(founders, fc.array(operation, { minLength: 6, maxLength: 14 }), async (size, operations) => {
      const names = Array.from({ length: size }, (_, i) => `member ${String(i)}`);
      const life = new MixedLife(suite, await Group.of(names, { suite, rules }));
      await life.take({ kind: "addPartial", a: 0, b: size, wire: true });
      for (const step of operations) await life.take(step);
      await life.take({ kind: "talk", a: 0, b: 0, wire: false });
    }),
    { numRuns: RUNS },
  );
}, 3_600_000);
