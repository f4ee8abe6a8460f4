/** What partial members refuse, by the rules of `docs/drafts/partial.md`. Nothing that is refused changes anything. */
import { beforeAll, describe, expect, test } from "vitest";
import type { Bytes } from "../../../src/codec/bytes.ts";
import { utf8 } from "../../../src/codec/bytes.ts";
import { decode, encode, opaque, struct } from "../../../src/codec/codec.ts";
import type { CipherSuite } from "../../../src/crypto/cipher-suite.ts";
import type { CommitToAnnotate } from "../../../src/drafts/partial/annotate.ts";
import {
  annotateCommit,
  annotateMessage,
  annotateWelcome,
  membershipProofOf,
} from "../../../src/drafts/partial/annotate.ts";
import { joinPartially } from "../../../src/drafts/partial/join.ts";
import type { MembershipProof } from "../../../src/drafts/partial/membership-proof.ts";
import { membershipProof } from "../../../src/drafts/partial/membership-proof.ts";
import { processAnnotatedCommit } from "../../../src/drafts/partial/process-commit.ts";
import { createPartialProposal } from "../../../src/drafts/partial/propose.ts";
import { processOutsideProposal, processSenderAuthenticated } from "../../../src/drafts/partial/receive.ts";
import { upgradeToFull } from "../../../src/drafts/partial/upgrade.ts";
import type {
  AnnotatedCommit,
  AnnotatedWelcome,
  SenderAuthenticatedMessage,
} from "../../../src/drafts/partial/wire-types.ts";
import {
  annotatedCommit,
  annotatedWelcome,
  senderAuthenticatedMessage,
} from "../../../src/drafts/partial/wire-types.ts";
import type { MlsErrorCode } from "../../../src/errors.ts";
import { adoptCommit, createCommit } from "../../../src/commit/create.ts";
import type { OwnKeyPackage } from "../../../src/framing/key-package.ts";
import { decodeMessage } from "../../../src/framing/mls-message.ts";
import { exportRatchetTree } from "../../../src/group/export.ts";
import { createProposal } from "../../../src/group/send.ts";
import { defineProposalType } from "../../../src/proposal/custom-proposal.ts";
import { DEFAULT_LIMITS } from "../../../src/limits.ts";
import type { ParentNode } from "../../../src/tree/parent-node.ts";
import type { RatchetTree } from "../../../src/tree/ratchet-tree.ts";
import type { LeafIndex } from "../../../src/tree/tree-math.ts";
import { at, Group, Member, testRules } from "../../support/group.ts";
import type { PartialMember } from "../../support/mixed-group.ts";
import { MixedGroup } from "../../support/mixed-group.ts";

const note = defineProposalType<{ readonly text: Bytes }>({
  ...{ customType: 0xf001, external: false, pathRequired: false, order: "last" },
  body: struct({ text: opaque }),
});
const rules = testRules({ proposalTypes: [note] });

let mix: MixedGroup;
let pat: PartialMember;
let alice: Member;
let bob: Member;
/** Alice's Commit with a path, public, and private; and one without a path. */
let publicCommit: CommitToAnnotate;
let privateCommit: CommitToAnnotate;
let pathless: CommitToAnnotate;
let joining: { readonly annotated: Bytes; readonly keyPackage: OwnKeyPackage; readonly suite: CipherSuite };

async function stage(options: Partial<Parameters<typeof createCommit>[1]>): Promise<CommitToAnnotate> {
  const { state, staged } = await createCommit(alice.state, { rules, signer: alice.signer, ...options });
  const after = adoptCommit(state, staged, rules).state;
  const { leafIndex } = alice.state;
  return { commit: staged.commit, before: alice.state, after, committer: leafIndex, added: staged.added };
}

beforeAll(async () => {
  mix = new MixedGroup(await Group.of(["alice", "bob", "carol", "dan", "erin"], { rules }));
  await mix.addPartials(mix.host, [await Member.create("pat", { rules }), await Member.create("pia", { rules })]);
  for (const member of mix.group.members) await mix.commit(member, { forcePath: true });
  pat = at(mix.partials, 0);
  [alice, bob] = [at(mix.group.members, 0), at(mix.group.members, 1)];
  publicCommit = await stage({ forcePath: true, wireFormat: "mls_public_message" });
  privateCommit = await stage({ forcePath: true });
  const client = await Member.create("new", { rules });
  const own = await client.keyPackage();
  const { state, staged } = await createCommit(alice.state, {
    rules,
    signer: alice.signer,
    wireFormat: "mls_public_message",
    treeInWelcome: false,
    proposals: [{ proposalType: 1, keyPackage: own.keyPackage }],
  });
  const after = adoptCommit(state, staged, rules).state;
  const { leafIndex } = alice.state;
  pathless = { commit: staged.commit, before: alice.state, after, committer: leafIndex, added: staged.added };
  if (staged.welcome === undefined) throw new Error("there is a Welcome");
  const annotated = annotateWelcome(after, staged.welcome, { sender: leafIndex, joiner: at(staged.added, 0) });
  joining = { annotated, keyPackage: own, suite: client.suite };
});

interface Expected {
  readonly code: MlsErrorCode;
  readonly requirement: string;
}

/** A suite that counts the calls of its hash. */
function counting(suite: CipherSuite): { readonly suite: CipherSuite; readonly count: () => number } {
  let calls = 0;
  const hash = new Proxy(suite.hash, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        calls++;
        return Reflect.apply(value, target, args);
      };
    },
  });
  return { suite: { ...suite, hash }, count: () => calls };
}

/** Refused, nothing hashed if its shape is wrong, and what is genuine still works. */
async function expectRefused(
  attempt: (suite: CipherSuite) => Promise<unknown>,
  expected: Expected,
  genuine: () => Promise<unknown>,
  { unhashed = false } = {},
): Promise<void> {
  const watched = counting(pat.state.suite);
  await expect(attempt(watched.suite)).rejects.toMatchObject({ name: "CoppiceError", ...expected });
  if (unhashed) expect(watched.count()).toBe(0);
  await genuine();
}

const follow = (annotated: Bytes, suite = pat.state.suite): Promise<unknown> =>
  processAnnotatedCommit({ ...pat.state, suite }, annotated, { rules });

const forCommit =
  (
    edit: (genuine: AnnotatedCommit) => AnnotatedCommit,
    expected: Expected,
    options?: { unhashed: boolean },
    of = (): CommitToAnnotate => publicCommit,
  ) =>
  async (): Promise<void> => {
    const genuine = annotateCommit(of(), pat.state.leafIndex);
    const forged = encode(annotatedCommit, edit(decode(annotatedCommit, genuine)));
    await expectRefused(
      (suite) => follow(forged, suite),
      expected,
      () => follow(genuine),
      options,
    );
  };

/** Proofs of the wrong shape. */
const MALFORMED: readonly (readonly [
  title: string,
  edit: (proof: MembershipProof) => MembershipProof,
  expected: Expected,
])[] = [
  [
    "P-6-1: n_leaves of 2^31",
    (proof) => ({ ...proof, nLeaves: 2 ** 31 }),
    { code: "ERR_MLS_LIMIT", requirement: "P-6-1" },
  ],
  [
    "P-6-2: n_leaves that is no power of two",
    (proof) => ({ ...proof, nLeaves: proof.nLeaves - 1 }),
    { code: "ERR_MLS_TREE", requirement: "P-6-2" },
  ],
  ["P-6-2: n_leaves of 0", (proof) => ({ ...proof, nLeaves: 0 }), { code: "ERR_MLS_TREE", requirement: "P-6-2" }],
  [
    "P-6-3: a leaf outside the tree",
    (proof) => ({ ...proof, leafIndex: proof.nLeaves }),
    { code: "ERR_MLS_TREE", requirement: "P-6-3" },
  ],
  [
    "P-6-4: more nodes than the tree can have",
    (proof) => ({ ...proof, directPathNodes: [...proof.directPathNodes, undefined] }),
    { code: "ERR_MLS_TREE", requirement: "P-6-4" },
  ],
  [
    "P-6-4: fewer nodes than the tree has",
    (proof) => ({ ...proof, directPathNodes: proof.directPathNodes.slice(0, -1) }),
    { code: "ERR_MLS_TREE", requirement: "P-6-4" },
  ],
  [
    "P-6-4: a copath that is too long",
    (proof) => ({ ...proof, copathHashes: [...proof.copathHashes, new Uint8Array(32)] }),
    { code: "ERR_MLS_TREE", requirement: "P-6-4" },
  ],
  [
    "P-6-4: a copath that is too short",
    (proof) => ({ ...proof, copathHashes: proof.copathHashes.slice(1) }),
    { code: "ERR_MLS_TREE", requirement: "P-6-4" },
  ],
  [
    "P-6-5: a blank leaf",
    (proof) => ({ ...proof, directPathNodes: [undefined, ...proof.directPathNodes.slice(1)] }),
    { code: "ERR_MLS_TREE", requirement: "P-6-5" },
  ],
  [
    "P-6-5: a leaf among the parents",
    (proof) => ({ ...proof, directPathNodes: proof.directPathNodes.map(() => proof.directPathNodes[0]) }),
    { code: "ERR_MLS_TREE", requirement: "P-6-5" },
  ],
  [
    "P-6-6: a copath hash of 31 bytes",
    (proof) => ({ ...proof, copathHashes: proof.copathHashes.map((hash) => hash.slice(1)) }),
    { code: "ERR_MLS_TREE", requirement: "P-6-6" },
  ],
];

const otherHashes = (proof: MembershipProof): MembershipProof => ({
  ...proof,
  copathHashes: proof.copathHashes.map((hash) => hash.map((byte) => byte ^ 1)),
});

describe("proofs of the wrong shape are refused before anything is hashed", () => {
  const unhashed = { unhashed: true };
  test.each(MALFORMED)("%s in an AnnotatedCommit", async (_, edit, expected) => {
    for (const field of [
      "senderMembershipProof",
      "senderMembershipProofAfter",
      "receiverMembershipProofAfter",
    ] as const) {
      await forCommit((genuine) => ({ ...genuine, [field]: edit(genuine[field] ?? at([], 0)) }), expected, unhashed)();
    }
  });

  test.each(MALFORMED)("%s in a SenderAuthenticatedMessage", async (_, edit, expected) => {
    const genuine = annotateMessage(alice.state, await bob.send("hello"), bob.state.leafIndex);
    const codec = senderAuthenticatedMessage("mls_private_message");
    const { senderMembershipProof, ...message } = decode(codec, genuine);
    const forged = encode(codec, { ...message, senderMembershipProof: edit(senderMembershipProof) });
    const receive = (bytes: Bytes, suite = pat.state.suite): Promise<unknown> =>
      processSenderAuthenticated({ ...pat.state, suite }, bytes, { wireFormat: "mls_private_message", rules });
    await expectRefused(
      (suite) => receive(forged, suite),
      expected,
      () => receive(genuine),
      unhashed,
    );
  });

  test.each(MALFORMED)("%s in an AnnotatedWelcome", async (_, edit, expected) => {
    await forWelcome(
      (genuine) => ({ ...genuine, joinerMembershipProof: edit(genuine.joinerMembershipProof) }),
      expected,
      unhashed,
    )();
    const sender = ({ welcome, ...rest }: AnnotatedWelcome): AnnotatedWelcome => ({
      ...rest,
      welcome: { ...welcome, senderMembershipProof: edit(welcome.senderMembershipProof) },
    });
    await forWelcome(sender, expected, unhashed)();
  });

  test("a proof of more nodes than any tree has is refused while it is read", () => {
    const proof = membershipProofOf(alice.state, 0);
    const long = encode(membershipProof, { ...proof, directPathNodes: Array.from({ length: 40 }, () => undefined) });
    expect(() => decode(membershipProof, long)).toThrow(expect.objectContaining({ code: "ERR_MLS_LIMIT" }));
  });
});

const join = (annotated: Bytes, suite = joining.suite): Promise<unknown> =>
  joinPartially(annotated, { suite, rules, keyPackage: joining.keyPackage });

const forWelcome =
  (edit: (genuine: AnnotatedWelcome) => AnnotatedWelcome, expected: Expected, options?: { unhashed: boolean }) =>
  async (): Promise<void> => {
    const forged = encode(annotatedWelcome, edit(decode(annotatedWelcome, joining.annotated)));
    await expectRefused(
      (suite) => join(forged, suite),
      expected,
      () => join(joining.annotated),
      options,
    );
  };

describe("AnnotatedWelcome", () => {
  const withSender =
    (proof: (genuine: MembershipProof) => MembershipProof) =>
    (genuine: AnnotatedWelcome): AnnotatedWelcome => ({
      ...genuine,
      welcome: { ...genuine.welcome, senderMembershipProof: proof(genuine.welcome.senderMembershipProof) },
    });

  test(
    "P-8-1: proofs of trees of different size",
    forWelcome(
      withSender(() => membershipProofOf(smaller(), 0)),
      { code: "ERR_MLS_TREE", requirement: "P-6-8" },
      { unhashed: true },
    ),
  );
  test(
    "P-8-2: the proof of another member than the signer",
    forWelcome(
      withSender(() => membershipProofOf(pathless.after, 1)),
      { code: "ERR_MLS_GROUP_INFO", requirement: "P-8-2" },
    ),
  );
  test(
    "P-8-3: a sender's proof of another epoch's tree",
    forWelcome(
      withSender(() => membershipProofOf(publicCommit.after, 0)),
      { code: "ERR_MLS_TREE", requirement: "P-8-3" },
    ),
  );
  test(
    "P-8-3: a joiner's proof of another tree",
    forWelcome((genuine) => ({ ...genuine, joinerMembershipProof: otherHashes(genuine.joinerMembershipProof) }), {
      code: "ERR_MLS_TREE",
      requirement: "P-8-3",
    }),
  );
  test(
    "P-8-4: the proof of another leaf than the joiner's",
    forWelcome(
      (genuine) => ({ ...genuine, joinerMembershipProof: membershipProofOf(pathless.after, 1) }),
      { code: "ERR_MLS_WELCOME", requirement: "P-8-4" },
      { unhashed: true },
    ),
  );
  test("P-7-3: a sender whom the authentication service refuses", async () => {
    const strict = testRules({ authentication: { validate: () => Promise.reject(new Error("who is that?")) } });
    const attempt = joinPartially(joining.annotated, { ...joining, rules: strict });
    await expect(attempt).rejects.toMatchObject({ code: "ERR_MLS_CREDENTIAL" });
  });
  test("R-12.4.3-3: a group that the client is in already", async () => {
    const attempt = joinPartially(joining.annotated, { ...joining, rules, isKnownGroup: () => true });
    await expect(attempt).rejects.toMatchObject({ code: "ERR_MLS_GROUP_INFO", requirement: "R-12.4.3-3" });
  });
});

/** Another group, with a tree of two leaves. */
const smaller = (): CommitToAnnotate["before"] => small;
let small: CommitToAnnotate["before"];
beforeAll(async () => {
  small = at((await Group.of(["x", "y"])).members, 0).state;
});

describe("SenderAuthenticatedMessage", () => {
  const receive = (bytes: Bytes, wireFormat: "mls_public_message" | "mls_private_message"): Promise<unknown> =>
    processSenderAuthenticated(pat.state, bytes, { wireFormat, rules });

  test("P-7-1: a proof of another epoch's tree", async () => {
    const message = await bob.send("hello");
    const forged = annotateMessage(publicCommit.after, message, bob.state.leafIndex);
    const genuine = annotateMessage(alice.state, message, bob.state.leafIndex);
    await expectRefused(
      () => receive(forged, "mls_private_message"),
      { code: "ERR_MLS_TREE", requirement: "P-7-1" },
      () => receive(genuine, "mls_private_message"),
    );
  });

  test("P-7-2: the proof of another member", async () => {
    const message = await bob.send("hello");
    const forged = annotateMessage(alice.state, message, alice.state.leafIndex);
    const genuine = annotateMessage(alice.state, message, bob.state.leafIndex);
    await expectRefused(
      () => receive(forged, "mls_private_message"),
      { code: "ERR_MLS_SENDER", requirement: "P-7-2" },
      () => receive(genuine, "mls_private_message"),
    );
  });

  test("P-7-2: the proof of another member with a public message", async () => {
    const remove = { proposalType: 3, removed: 2 } as const;
    const { message } = await createProposal(bob.state, remove, {
      rules,
      signer: bob.signer,
      wireFormat: "mls_public_message",
    });
    const genuine = annotateMessage(alice.state, message, bob.state.leafIndex);
    const codec = senderAuthenticatedMessage("mls_public_message");
    const edited: SenderAuthenticatedMessage = {
      ...decode(codec, genuine),
      senderMembershipProof: membershipProofOf(alice.state, alice.state.leafIndex),
    };
    await expectRefused(
      () => receive(encode(codec, edited), "mls_public_message"),
      { code: "ERR_MLS_SENDER", requirement: "P-7-2" },
      () => receive(genuine, "mls_public_message"),
    );
    await expect(processOutsideProposal(pat.state, message, { rules })).rejects.toMatchObject({
      code: "ERR_MLS_SENDER",
      requirement: "P-7-2",
    });
  });

  test("P-7-3: a member whom the authentication service refuses", async () => {
    const strict = testRules({ authentication: { validate: () => Promise.reject(new Error("who is that?")) } });
    const dan = at(mix.group.members, 3);
    const message = annotateMessage(alice.state, await dan.send("hello"), dan.state.leafIndex);
    await expect(
      processSenderAuthenticated(pat.state, message, { wireFormat: "mls_private_message", rules: strict }),
    ).rejects.toMatchObject({ code: "ERR_MLS_CREDENTIAL" });
    await receive(message, "mls_private_message");
  });

  test("P-10-11: a Commit that does not remove this member", async () => {
    for (const { commit, before, committer } of [publicCommit, privateCommit]) {
      const { wireFormat } = decodeMessage(commit as Bytes);
      if (wireFormat !== "mls_public_message" && wireFormat !== "mls_private_message") throw new TypeError("no Commit");
      const attempt = receive(annotateMessage(before, commit, committer), wireFormat);
      await expect(attempt).rejects.toMatchObject({ code: "ERR_MLS_STATE", requirement: "P-10-11" });
    }
  });
});

describe("AnnotatedCommit", () => {
  const withAfter =
    (
      field: "senderMembershipProofAfter" | "receiverMembershipProofAfter",
      edit: (proof: MembershipProof) => MembershipProof,
    ) =>
    (genuine: AnnotatedCommit): AnnotatedCommit => ({ ...genuine, [field]: edit(genuine[field]) });

  for (const of of [(): CommitToAnnotate => publicCommit, (): CommitToAnnotate => privateCommit]) {
    test(
      "P-10-1: a member's Commit without the proof of its sender",
      forCommit(
        (genuine) => ({ ...genuine, senderMembershipProof: undefined }),
        { code: "ERR_MLS_SENDER", requirement: "P-10-1" },
        { unhashed: true },
        of,
      ),
    );
    test(
      "P-7-1: the sender's proof of another epoch's tree",
      forCommit(
        (genuine) => ({ ...genuine, senderMembershipProof: genuine.senderMembershipProofAfter }),
        { code: "ERR_MLS_TREE", requirement: "P-7-1" },
        undefined,
        of,
      ),
    );
    test(
      "P-7-2: the proofs of another sender",
      forCommit(
        (genuine) => ({
          ...genuine,
          senderMembershipProof: membershipProofOf(of().before, 1),
          senderMembershipProofAfter: membershipProofOf(of().after, 1),
        }),
        { code: "ERR_MLS_SENDER", requirement: "P-7-2" },
        undefined,
        of,
      ),
    );
    test(
      "P-10-5: a path without a resolution index",
      forCommit(
        (genuine) => ({ ...genuine, resolutionIndex: undefined }),
        { code: "ERR_MLS_UPDATE_PATH", requirement: "P-10-5" },
        undefined,
        of,
      ),
    );
    test(
      "P-10-9: a resolution index that names no ciphertext",
      forCommit(
        (genuine) => ({ ...genuine, resolutionIndex: 2 ** 32 - 1 }),
        { code: "ERR_MLS_UPDATE_PATH", requirement: "P-10-9" },
        undefined,
        of,
      ),
    );
  }

  test("P-10-2: a proposal in the place of a Commit", async () => {
    const remove = { proposalType: 3, removed: 2 } as const;
    for (const wireFormat of ["mls_public_message", "mls_private_message"] as const) {
      const { message } = await createProposal(bob.state, remove, { rules, signer: bob.signer, wireFormat });
      const { before, after } = publicCommit;
      await forCommit(
        (genuine) => ({
          ...genuine,
          commit: decodeMessage(message),
          senderMembershipProof: membershipProofOf(before, 1),
          senderMembershipProofAfter: membershipProofOf(after, 1),
        }),
        { code: "ERR_MLS_DECODE", requirement: "P-10-2" },
      )();
    }
  });
  test(
    "P-10-3: a tree hash that the proofs do not have",
    forCommit((genuine) => ({ ...genuine, treeHashAfter: new Uint8Array(32) }), {
      code: "ERR_MLS_TREE",
      requirement: "P-10-3",
    }),
  );
  test(
    "P-10-3: proofs of the epoch before",
    forCommit(
      withAfter("receiverMembershipProofAfter", ({ leafIndex }) => membershipProofOf(publicCommit.before, leafIndex)),
      { code: "ERR_MLS_TREE", requirement: "P-10-3" },
    ),
  );
  test(
    "P-10-3: another tree for all, which the confirmation tag does not confirm",
    forCommit(
      (genuine) => ({
        ...genuine,
        treeHashAfter: privateCommit.after.tree.treeHash(privateCommit.after.suite.hash),
        senderMembershipProofAfter: membershipProofOf(
          privateCommit.after,
          genuine.senderMembershipProofAfter.leafIndex,
        ),
        receiverMembershipProofAfter: membershipProofOf(
          privateCommit.after,
          genuine.receiverMembershipProofAfter.leafIndex,
        ),
      }),
      { code: "ERR_MLS_UPDATE_PATH", requirement: "P-10-8" },
    ),
  );
  describe("a tree that the annotator made up", () => {
    /** All proofs of another tree, whose hash they have. */
    const ofTree =
      (make: (tree: RatchetTree) => RatchetTree) =>
      (genuine: AnnotatedCommit): AnnotatedCommit => {
        const { suite, tree: real } = publicCommit.after;
        const tree = make(real);
        return {
          ...genuine,
          treeHashAfter: tree.treeHash(suite.hash),
          senderMembershipProofAfter: membershipProofOf({ suite, tree }, genuine.senderMembershipProofAfter.leafIndex),
          receiverMembershipProofAfter: membershipProofOf(
            { suite, tree },
            genuine.receiverMembershipProofAfter.leafIndex,
          ),
        };
      };
    const withPath =
      (edit: (parent: ParentNode) => ParentNode) =>
      (tree: RatchetTree): RatchetTree =>
        tree.replacePath(0 as LeafIndex, tree.leaf(0 as LeafIndex), (parent) => parent && edit(parent));

    test(
      "P-10-6: with another leaf for the receiver",
      forCommit(
        ofTree((tree) =>
          tree.updateLeaf(pat.state.leafIndex, {
            ...pat.ownLeaf,
            extensions: [{ extensionType: 0xf0aa, extensionData: utf8("!") }],
          }),
        ),
        { code: "ERR_MLS_TREE", requirement: "P-10-6" },
      ),
    );
    test(
      "P-10-8: with another leaf for the committer",
      forCommit(
        ofTree((tree) => tree.updateLeaf(0 as LeafIndex, at([...tree.members()], 1)[1])),
        {
          code: "ERR_MLS_UPDATE_PATH",
          requirement: "P-10-8",
        },
      ),
    );
    test(
      "P-10-8: with other keys on the committer's path",
      forCommit(
        ofTree(withPath((parent) => ({ ...parent, encryptionKey: parent.encryptionKey.map((byte) => byte ^ 1) }))),
        {
          code: "ERR_MLS_UPDATE_PATH",
          requirement: "P-10-8",
        },
      ),
    );
    test(
      "P-10-8: with an unmerged leaf on the committer's path",
      forCommit(ofTree(withPath((parent) => ({ ...parent, unmergedLeaves: [1] }))), {
        code: "ERR_MLS_UPDATE_PATH",
        requirement: "P-10-8",
      }),
    );
    test(
      "P-10-8: with a blank on the committer's path",
      forCommit(
        ofTree((tree) => tree.replacePath(0 as LeafIndex, tree.leaf(0 as LeafIndex), () => undefined)),
        {
          code: "ERR_MLS_UPDATE_PATH",
          requirement: "P-10-8",
        },
      ),
    );
    test.each([1, 3])("R-7.5-7: with another parent hash in node %i", async (node) => {
      const edit = (tree: RatchetTree): RatchetTree =>
        tree.replacePath(0 as LeafIndex, tree.leaf(0 as LeafIndex), (parent, index) => {
          const isEdited = parent !== undefined && (index as number) === node;
          return isEdited ? { ...parent, parentHash: parent.parentHash.map((byte) => byte ^ 1) } : parent;
        });
      await forCommit(ofTree(edit), { code: "ERR_MLS_UPDATE_PATH", requirement: "R-7.5-7" })();
    });
    test("R-12.4.2-12: after a Commit without a path, which the confirmation tag does not confirm", async () => {
      const genuine = decode(annotatedCommit, annotateCommit(pathless, pat.state.leafIndex));
      const { suite, before } = { ...pathless, suite: pathless.before.suite };
      const forged = encode(annotatedCommit, {
        ...genuine,
        treeHashAfter: before.tree.treeHash(suite.hash),
        senderMembershipProofAfter: membershipProofOf(before, genuine.senderMembershipProofAfter.leafIndex),
        receiverMembershipProofAfter: membershipProofOf(before, genuine.receiverMembershipProofAfter.leafIndex),
      });
      await expect(follow(forged)).rejects.toMatchObject({ code: "ERR_MLS_CONFIRMATION", requirement: "R-12.4.2-12" });
      await follow(encode(annotatedCommit, genuine));
    });
  });

  test(
    "P-6-8: proofs of trees of different size",
    forCommit(
      withAfter("senderMembershipProofAfter", () => membershipProofOf(small, 0)),
      { code: "ERR_MLS_TREE", requirement: "P-6-8" },
      { unhashed: true },
    ),
  );
  test(
    "P-10-4: proofs of the sender for two leaves",
    forCommit(
      withAfter("senderMembershipProofAfter", () => membershipProofOf(publicCommit.after, 1)),
      { code: "ERR_MLS_SENDER", requirement: "P-10-4" },
      { unhashed: true },
    ),
  );
  test(
    "P-10-6: an annotation for another leaf",
    forCommit(
      withAfter("receiverMembershipProofAfter", () =>
        membershipProofOf(publicCommit.after, at(mix.partials, 1).state.leafIndex),
      ),
      { code: "ERR_MLS_SENDER", requirement: "P-10-6" },
      { unhashed: true },
    ),
  );
  test(
    "P-10-5: a resolution index without a path",
    forCommit(
      (genuine) => ({ ...genuine, resolutionIndex: 0 }),
      { code: "ERR_MLS_UPDATE_PATH", requirement: "P-10-5" },
      undefined,
      () => pathless,
    ),
  );

  test("R-5.1.3-2: the ciphertext of another node does not open", async () => {
    const other = new MixedGroup(await Group.of(["a", "b", "c", "d"], { rules }));
    const [partial] = await other.addPartials(other.host, [
      await Member.create("e", { rules }),
      await Member.create("f", { rules }),
    ]);
    if (partial === undefined) throw new Error("nobody joined");
    const before = other.host.state;
    const { state, staged } = await createCommit(before, { rules, signer: other.host.signer, forcePath: true });
    const after = adoptCommit(state, staged, rules).state;
    const change = { commit: staged.commit, before, after, committer: before.leafIndex, added: [] };
    const genuine = annotateCommit(change, partial.state.leafIndex);
    const decoded = decode(annotatedCommit, genuine);
    expect(decoded.resolutionIndex).toBe(0);
    const forged = encode(annotatedCommit, { ...decoded, resolutionIndex: 1 });
    await expect(processAnnotatedCommit(partial.state, forged, { rules })).rejects.toMatchObject({
      code: "ERR_MLS_AEAD",
      requirement: "R-5.1.3-2",
    });
    await processAnnotatedCommit(partial.state, genuine, { rules });
  });

  test("P-10-7: its own Commit, made when it was a full member", async () => {
    const client = await Member.create("former", { rules });
    const other = new MixedGroup(await Group.of(["a", "b"], { rules }));
    const [partial] = await other.addPartials(other.host, [client]);
    if (partial === undefined) throw new Error("nobody joined");
    const full = await upgradeToFull(partial.state, exportRatchetTree(other.host.state), { rules });
    const { state, staged } = await createCommit(full.state, {
      rules,
      signer: client.signer,
      wireFormat: "mls_public_message",
      forcePath: true,
    });
    const after = adoptCommit(state, staged, rules).state;
    const annotation = { commit: staged.commit, before: full.state, after, committer: full.state.leafIndex, added: [] };
    const forAnother = decode(annotatedCommit, annotateCommit(annotation, 0));
    const receiverMembershipProofAfter = membershipProofOf(after, full.state.leafIndex);
    const own = encode(annotatedCommit, { ...forAnother, receiverMembershipProofAfter });
    await expect(processAnnotatedCommit(partial.state, own, { rules })).rejects.toMatchObject({
      code: "ERR_MLS_STATE",
      requirement: "P-10-7",
    });
  });

  test("P-10-10: a Commit of a custom proposal, and an own one", async () => {
    const custom = await stage({ wireFormat: "mls_public_message", proposals: [note.propose({ text: utf8("hi") })] });
    const expected = { code: "ERR_MLS_PROPOSAL_LIST", requirement: "P-10-10" };
    await expect(follow(annotateCommit(custom, pat.state.leafIndex))).rejects.toMatchObject(expected);
    const { client } = pat;
    const own = createPartialProposal(pat.state, note.propose({ text: utf8("hi") }), client);
    await expect(own).rejects.toMatchObject(expected);
  });

  test("the rules of RFC 9420 that need no tree hold", async () => {
    const lazy = { ...rules, allowProposals: () => Promise.reject(new Error("not here")) };
    const genuine = annotateCommit(pathless, pat.state.leafIndex);
    await expect(processAnnotatedCommit(pat.state, genuine, { rules: lazy })).rejects.toMatchObject({
      code: "ERR_MLS_POLICY",
      requirement: "R-12.2-15",
    });
    const few = { ...rules, limits: { ...DEFAULT_LIMITS, treeLeaves: 4 } };
    await expect(processAnnotatedCommit(pat.state, genuine, { rules: few })).rejects.toMatchObject({
      code: "ERR_MLS_LIMIT",
      requirement: "P-6-1",
    });
    await follow(genuine);
  });
});

describe("upgrading", () => {
  test("P-5-1: a tree that is not that of the group", async () => {
    const attempt = (tree: Bytes): Promise<unknown> => upgradeToFull(pat.state, tree, { rules });
    await expect(attempt(exportRatchetTree(at((await Group.of(["x", "y"])).members, 0).state))).rejects.toMatchObject({
      code: "ERR_MLS_TREE",
      requirement: "R-12.4.3.3-5",
    });
    await attempt(exportRatchetTree(alice.state));
  });
});

describe("annotating", () => {
  test("is refused for those who have no use for it", async () => {
    expect(() => annotateCommit(pathless, at(pathless.added, 0).leafIndex)).toThrow(RangeError);
    expect(() => annotateCommit(publicCommit, publicCommit.committer)).toThrow(RangeError);
    expect(() => annotateCommit(publicCommit, 7)).toThrow(RangeError);
    expect(() => membershipProofOf(alice.state, 7)).toThrow(RangeError);
    expect(() => membershipProofOf(alice.state, 8)).toThrow(RangeError);
    const remove = { proposalType: 3, removed: 2 } as const;
    const { message } = await createProposal(bob.state, remove, {
      rules,
      signer: bob.signer,
      wireFormat: "mls_public_message",
    });
    expect(() => annotateMessage(alice.state, message, 0)).toThrow(RangeError);
  });
});
