/**
 * Random lives of groups that meet what has been found to break groups: members on different platforms and crafted signatures, hooks
 * that answer otherwise than documented, clocks that are wrong and jump, bytes of another realm. Each life follows from fast-check's
 * seed. `COPPICE_PROPERTY_RUNS` sets how many are lived: 100; `npm run property` lives 2,000.
 */
import { runInNewContext } from "node:vm";
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { afterAll, expect, test, vi } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { concat } from "../../src/codec/bytes.ts";
import type { CipherSuite } from "../../src/crypto/cipher-suite.ts";
import type { Signer } from "../../src/crypto/signature.ts";
import { isCoppiceError } from "../../src/errors.ts";
import type { Proposal } from "../../src/framing/proposal.ts";
import { createNewMemberProposal } from "../../src/group/propose-from-outside.ts";
import type { Rules } from "../../src/rules.ts";
import { littleEndian, toInteger } from "../support/edges/case.ts";
import { forgeCommit } from "../support/forge-commit.ts";
import { at, expectRefusal, Group, Member, NOW, testRules } from "../support/group.ts";
import { PLATFORMS, suiteWhere } from "../support/platforms.ts";

const RUNS = Number(process.env["COPPICE_PROPERTY_RUNS"] ?? 100);
const TIMEOUT = RUNS * 30_000;

const suites: CipherSuite[] = [];
for (const platform of PLATFORMS) {
  suites.push(await suiteWhere(1, platform));
  // What was found out about the platform stays; the next one is looked at afresh.
  vi.restoreAllMocks();
}
afterAll(() => vi.restoreAllMocks());

/** One member on each platform, and whoever else is wanted. */
async function mixedGroup(platforms: readonly number[], changes: Partial<Rules> = {}): Promise<Group> {
  const [founder, ...others] = await Promise.all(
    platforms.map((platform, i) =>
      Member.create(`member ${String(i)}`, { suite: at(suites, platform), rules: testRules(changes) }),
    ),
  );
  if (founder === undefined) throw new RangeError("a group has members");
  await founder.found();
  const group = Group.joined([founder]);
  await group.add(founder, others);
  return group;
}

const platforms = fc
  .array(fc.nat({ max: PLATFORMS.length - 1 }), { maxLength: 3 })
  .map((more) => [...PLATFORMS.keys(), ...more]);

const ORDER = ed25519.Point.Fn.ORDER;
const TORSION = ed25519.Point.fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");

/** A way to sign that lenient platforms take. */
interface Craft {
  /** How much of small order R has: 1 to 7 of eight; 0 for none. */
  readonly torsion: number;
  /** Added to S, in orders. */
  readonly orders: number;
  /** R is of small order alone, and S has no nonce. */
  readonly bare: boolean;
  /** The path's leaf is signed so, in place of the Commit. */
  readonly leaf: boolean;
  readonly nonce: bigint;
}
const craft: fc.Arbitrary<Craft> = fc
  .record({
    torsion: fc.nat({ max: 7 }),
    orders: fc.nat({ max: 7 }),
    bare: fc.boolean(),
    leaf: fc.boolean(),
    nonce: fc.bigInt({ min: 1n, max: ORDER - 1n }),
  })
  .filter(({ torsion, orders, bare }) => torsion > 0 || orders > 0 || bare);

function craftedSigner(seed: Bytes, { torsion, orders, bare, nonce }: Craft): Signer {
  const { scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(seed);
  const publicKey = pointBytes as Bytes;
  const small = torsion === 0 ? ed25519.Point.ZERO : TORSION.multiplyUnsafe(BigInt(torsion));
  const R = (bare ? small : ed25519.Point.BASE.multiply(nonce).add(small)).toBytes() as Bytes;
  return {
    publicKey,
    sign: (message) => {
      const k = toInteger(sha512(concat(R, publicKey, message)).toReversed());
      const S = ((bare ? 0n : nonce) + k * scalar) % ORDER;
      return Promise.resolve(concat(R, littleEndian(S + BigInt(orders) * ORDER, 32)));
    },
  };
}

test(
  "members on all platforms refuse crafted signatures alike, and go on together (R-6.1-8, R-7.3-3, adversarial 16)",
  async () => {
    await fc.assert(
      fc.asyncProperty(
        platforms,
        fc.array(fc.tuple(craft, fc.nat({ max: 100 })), { minLength: 1, maxLength: 4 }),
        async (where, attacks) => {
          const group = await mixedGroup(where);
          for (const [attack, number] of attacks) {
            const sender = at(group.members, number % group.members.length);
            const signer = craftedSigner(sender.signaturePrivateKey, attack);
            const { message } = await forgeCommit(sender, attack.leaf ? { leafSigner: signer } : { signer });
            for (const member of group.members) {
              if (member === sender) continue;
              await expectRefusal(member, { code: "ERR_MLS_SIGNATURE" }, () => member.peek(message));
            }
            await group.commit(sender, { forcePath: true });
            await group.chat(sender, "and on");
          }
        },
      ),
      // Curves in JavaScript take their time.
      { numRuns: Math.ceil(RUNS / 4) },
    );
  },
  TIMEOUT,
);

/** What hooks answer that do not do what is documented. */
const answer: fc.Arbitrary<() => unknown> = fc
  .oneof(
    fc.constantFrom<unknown>(false, true, 0, 1, null, "", "yes", {}, []),
    fc.bigInt(),
    fc.constant(Symbol("answer")),
    fc.uint8Array().filter(({ length }) => length > 0),
  )
  .chain((value) =>
    fc.constantFrom(
      () => Promise.resolve(value),
      () => value,
      () => Promise.reject(new Error("a bug")),
      () => {
        throw new Error("a bug");
      },
    ),
  );

/** Hooks that agree by undefined alone, and what asks them. */
const HOOKS = {
  validate: (hook: never): Partial<Rules> => ({ authentication: { validate: hook } }),
  allowProposals: (hook: never): Partial<Rules> => ({ allowProposals: hook }),
  allowOutsideProposal: (hook: never): Partial<Rules> => ({ allowOutsideProposal: hook }),
} as const;

test(
  "a hook that answers anything but undefined agrees to nothing, whatever is asked (R-5.3.1-1, R-12.2-15, R-12.1.8-4)",
  async () => {
    const open = testRules({ allowOutsideProposal: () => Promise.resolve() });
    const group = await Group.of(["alice", "bob"], { rules: open });
    const [alice, bob] = [group.member("alice"), group.member("bob")];
    const newcomer = await Member.create("newcomer");
    const { keyPackage } = await newcomer.keyPackage();
    const proposals: Proposal[] = [{ proposalType: 1, keyPackage }];
    const { staged } = await alice.commit({ proposals });
    const asking = await createNewMemberProposal(bob.state.context, keyPackage, newcomer);
    const messages = { validate: staged.commit, allowProposals: staged.commit, allowOutsideProposal: asking };
    const expected = { validate: "ERR_MLS_CREDENTIAL", allowProposals: "ERR_MLS_POLICY" } as const;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...(Object.keys(HOOKS) as (keyof typeof HOOKS)[])),
        answer,
        async (name, hook) => {
          const code = name === "allowOutsideProposal" ? "ERR_MLS_POLICY" : expected[name];
          bob.rules = { ...open, ...HOOKS[name](hook as never) };
          await expectRefusal(bob, { code }, () => bob.peek(messages[name]));
          bob.rules = open;
          await bob.peek(messages[name]);
          if (name === "allowOutsideProposal") return;
          const rules = { ...open, ...HOOKS[name](hook as never) };
          await expectRefusal(alice, { code }, () => alice.commit({ proposals, rules }));
        },
      ),
      { numRuns: RUNS },
    );
  },
  TIMEOUT,
);

/** Seconds since 1970: the beginning, before and after lifetimes, and the end of what a lifetime can say. */
const moment = fc.oneof(
  fc.constantFrom(0n, 1n, 3599n, NOW, 2n ** 63n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 2n * NOW }),
  fc.bigInt({ min: NOW - 7200n, max: NOW + 172_800n }),
);

test(
  "members whose clocks are wrong, and jump, agree on Commits and messages; only who adds has to know the time (R-7.2-8, R-7.3-8)",
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat({ max: 100 }), moment, moment), { minLength: 1, maxLength: 6 }),
        async (steps) => {
          const lifetime = { maxSeconds: 90n * 86_400n, checkOnReceive: false };
          const group = await mixedGroup([0, 1, 2], { lifetime });
          for (const [number, sends, receives] of steps) {
            const sender = at(group.members, number % group.members.length);
            for (const member of group.members) {
              member.rules = { ...member.rules, now: () => (member === sender ? sends : receives) };
            }
            await group.commit(sender, { forcePath: number % 2 === 0 });
            await group.chat(sender, "what time is it");
            const newcomer = await Member.create(`newcomer ${String(number)}`, { rules: testRules({ lifetime }) });
            const { keyPackage } = await newcomer.keyPackage();
            const { lifetime: valid } = keyPackage.leafNode.source as {
              lifetime: { notBefore: bigint; notAfter: bigint };
            };
            const add: Proposal = { proposalType: 1, keyPackage };
            if (sends >= valid.notBefore && sends <= valid.notAfter) {
              const { staged } = await sender.commit({ proposals: [add] });
              for (const member of group.members) if (member !== sender) await member.peek(staged.commit);
            } else {
              const expected = { code: "ERR_MLS_LEAF_NODE", requirement: "R-7.3-7" } as const;
              await expectRefusal(sender, expected, () => sender.commit({ proposals: [add] }));
            }
          }
        },
      ),
      { numRuns: RUNS },
    );
  },
  TIMEOUT,
);

/** A `Uint8Array` of another realm: an iframe's, or a test runner's. */
const foreign = (bytes: Uint8Array): Bytes => {
  const made = runInNewContext(`Uint8Array.from([${bytes.join(",")}])`) as Bytes;
  if (made instanceof Uint8Array) throw new TypeError("a realm of its own");
  return made;
};

test(
  "bytes of another realm do what our own do, and what is like bytes does nothing",
  async () => {
    const suite = at(suites, 0);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 2 }), async (data, number) => {
        const group = await mixedGroup([0, 1, 2]);
        const sender = at(group.members, number);
        sender.state = { ...sender.state, suite: at(suites, number) };
        const sign = sender.signer.sign.bind(sender.signer);
        const signer: Signer = {
          publicKey: foreign(sender.signer.publicKey),
          sign: async (message) => foreign(await sign(message)),
        };
        const made = await sender.commit({ signer, authenticatedData: foreign(data), forcePath: true });
        for (const member of group.members) {
          if (member === sender) continue;
          const received = await member.receive(foreign(made.staged.commit));
          expect([...received.authenticatedData]).toEqual([...data]);
        }
        sender.adopt(made);
        group.expectAgreement();
        const newcomer = await Member.create("newcomer", { suite });
        const own = await newcomer.keyPackage();
        const { staged } = await sender.commit({ proposals: [{ proposalType: 1, keyPackage: own.keyPackage }] });
        await newcomer.join(staged.welcome && foreign(staged.welcome), {
          ...own,
          ref: foreign(own.ref),
          initPrivateKey: foreign(own.initPrivateKey),
          encryptionPrivateKey: foreign(own.encryptionPrivateKey),
        });
        expect(newcomer.state.context.epoch).toBe(sender.state.context.epoch + 1n);
        const receiver = at(group.members, (number + 1) % 3);
        for (const like of [[...data], data.buffer, new Uint16Array(data), String(data)]) {
          const outcome: unknown = await receiver.receive(like as never).catch((error: unknown) => error);
          expect(outcome instanceof TypeError || isCoppiceError(outcome)).toBe(true);
        }
      }),
      { numRuns: RUNS },
    );
  },
  TIMEOUT,
);
