/**
 * What stands around the protocol: members on different platforms in one group, hooks that answer otherwise than documented, clocks that
 * are wrong, and bytes of another realm. The verdict on a message depends on none of them, but on a hook that refuses.
 */
import { runInNewContext } from "node:vm";
import { type Bytes, toHex, utf8 } from "../src/codec/bytes.ts";
import { EDWARDS25519, strictEddsa } from "../src/crypto/eddsa-encodings.ts";
import { ed25519OnNoble } from "../src/crypto/ed25519-noble.ts";
import { guarded, type Signer } from "../src/crypto/signature.ts";
import { isCoppiceError } from "../src/errors.ts";
import type { Proposal } from "../src/framing/proposal.ts";
import { createNewMemberProposal } from "../src/group/propose-from-outside.ts";
import { processMessage } from "../src/group/receive.ts";
import { createApplicationMessage, createProposal } from "../src/group/send.ts";
import { encodeGroupState } from "../src/group/serialise.ts";
import type { Rules } from "../src/rules.ts";
import { forgeCommit } from "../test/support/forge-commit.ts";
import { forgeKeyPackage } from "../test/support/forge-join.ts";
import { Group, LIFETIME, Member, NOW, testRules } from "../test/support/group.ts";
import type { Random } from "./random.ts";
import { below, mutate, pick } from "./random.ts";
import type { Target } from "./target.ts";
import { Finding, requireCoppiceError } from "./target.ts";

/** What hooks answer that do not do what is documented. */
const ANSWERS: readonly unknown[] = [false, true, 0, 1, null, "", "yes", 0n, Symbol("yes"), {}, [], new Uint8Array(1)];

/** Encodings that lenient verifiers take for others: orders of the group, points of small order. */
const EDGES = [
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
].map((hex) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)));

const MOMENTS: readonly bigint[] = [
  ...[0n, 1n, 3599n, NOW, 2n * NOW, 2n ** 63n, 2n ** 64n - 1n],
  ...[LIFETIME.notBefore, LIFETIME.notBefore - 1n, LIFETIME.notAfter, LIFETIME.notAfter + 1n],
];

export async function surroundingTargets(): Promise<Target[]> {
  const lifetime = { maxSeconds: 90n * 86_400n, checkOnReceive: false };
  const rules = testRules({ lifetime, allowOutsideProposal: () => Promise.resolve() });
  const group = await Group.of(["alice", "bob"], { rules });
  const [alice, bob] = [group.member("alice"), group.member("bob")];
  const newcomer = await Member.create("newcomer", { rules });
  const own = await newcomer.keyPackage();
  const add: Proposal = { proposalType: 1, keyPackage: own.keyPackage };
  const commit = (await forgeCommit(alice, { proposals: [add] })).message;
  const asking = await createNewMemberProposal(bob.state.context, own.keyPackage, newcomer);
  const genuine = [
    (await createApplicationMessage(alice.state, utf8("hello"), alice)).message,
    (await createProposal(alice.state, { proposalType: 1, keyPackage: own.keyPackage }, alice)).message,
    commit,
    asking,
  ];

  /** The new state, or what it was refused for. */
  const verdict = async (state: Member["state"], message: Uint8Array, under: Rules): Promise<string> => {
    try {
      const received = await processMessage(state, message, { rules: under });
      return `accepted ${toHex(encodeGroupState(received.state))}`;
    } catch (error) {
      requireCoppiceError(error, { input: message });
      return isCoppiceError(error) ? `${error.code} ${error.requirement ?? ""}` : "";
    }
  };

  // As in a browser without the curves.
  const signature = guarded(strictEddsa(EDWARDS25519, ed25519OnNoble()));
  const elsewhere = { ...bob.state, suite: { ...bob.state.suite, signature } };
  /** Signs what others may take for a signature. */
  const odd = (random: Random): Signer => ({
    publicKey: alice.signer.publicKey,
    sign: async (message) => {
      const made = await alice.signer.sign(message);
      if (below(random, 2) === 0) return mutate(made, random, pick(random, EDGES));
      const half = below(random, 2) * 32;
      return Uint8Array.from(made, (byte, i) => (i >= half && i < half + 32 ? (edge[i - half] ?? byte) : byte));
    },
  });
  let edge: Uint8Array = EDGES[0] ?? new Uint8Array(32);

  const platforms: Target = {
    name: "members on two platforms judge a message alike",
    run: async (random) => {
      edge = pick(random, EDGES);
      const signer = odd(random);
      const input =
        below(random, 4) === 0
          ? mutate(pick(random, genuine), random, pick(random, genuine))
          : (await forgeCommit(alice, below(random, 2) === 0 ? { leafSigner: signer } : { signer })).message;
      const [here, there] = [await verdict(bob.state, input, rules), await verdict(elsewhere, input, rules)];
      if (here !== there) throw new Finding("two platforms differ", { input, here, there });
    },
  };

  const hooks: Target = {
    name: "a hook that answers otherwise than documented agrees to nothing",
    run: async (random) => {
      const value = pick(random, ANSWERS);
      const hook = pick(random, [
        () => value,
        () => Promise.resolve(value),
        () => Promise.reject(new Error("a bug")),
        () => {
          throw new Error("a bug");
        },
      ]) as never;
      const [input, changes] = pick<readonly [Uint8Array, Partial<Rules>]>(random, [
        [commit, { authentication: { validate: hook } }],
        [commit, { allowProposals: hook }],
        [asking, { allowOutsideProposal: hook }],
      ]);
      const outcome = await verdict(bob.state, input, { ...rules, ...changes });
      if (outcome.startsWith("accepted")) throw new Finding(`agreed by ${typeof value}`, { input });
    },
  };

  const clocks: Target = {
    name: "a clock that is wrong changes no verdict, but on whom to add",
    run: async (random) => {
      const [now, notBefore, notAfter] = [pick(random, MOMENTS), pick(random, MOMENTS), pick(random, MOMENTS)];
      const wrong = { ...rules, now: () => now };
      const input = pick(random, genuine);
      const [right, late] = [await verdict(bob.state, input, rules), await verdict(bob.state, input, wrong)];
      if (right !== late) throw new Finding(`at ${String(now)} the verdict is another`, { input, right, late });
      const source = { leafNodeSource: "key_package", lifetime: { notBefore, notAfter } } as const;
      const { keyPackage } = await forgeKeyPackage(newcomer, { leaf: (leaf) => ({ ...leaf, source }) });
      const proposals: Proposal[] = [{ proposalType: 1, keyPackage }];
      const isAdded = await alice.commit({ proposals, rules: wrong }).then(
        () => true,
        (error: unknown) => {
          requireCoppiceError(error, {});
          return false;
        },
      );
      const isInTime = notBefore <= now && now <= notAfter && notAfter - notBefore <= lifetime.maxSeconds;
      if (isAdded !== isInTime) {
        throw new Finding(
          `at ${String(now)}: ${String(notBefore)} to ${String(notAfter)}, added: ${String(isAdded)}`,
          {},
        );
      }
    },
  };

  const realms: Target = {
    name: "bytes of another realm get the verdict that our own get",
    run: async (random) => {
      const input = mutate(pick(random, genuine), random, pick(random, genuine));
      const foreign = runInNewContext(`Uint8Array.from([${input.join(",")}])`) as Bytes;
      const [ours, theirs] = [await verdict(bob.state, input, rules), await verdict(bob.state, foreign, rules)];
      if (ours !== theirs) throw new Finding("the realm decides", { input, ours, theirs });
    },
  };

  return [platforms, hooks, clocks, realms];
}
