/** A valid value of every type of Partial MLS, of one group, with who takes it in. */
import type { Bytes } from "../../src/codec/bytes.ts";
import type { Codec } from "../../src/codec/codec.ts";
import { encode } from "../../src/codec/codec.ts";
import { adoptCommit, createCommit } from "../../src/commit/create.ts";
import {
  annotateCommit,
  annotateMessage,
  annotateWelcome,
  membershipProofOf,
} from "../../src/drafts/partial/annotate.ts";
import { copathHash, membershipProof } from "../../src/drafts/partial/membership-proof.ts";
import { annotatedCommit, annotatedWelcome, senderAuthenticatedMessage } from "../../src/drafts/partial/wire-types.ts";
import type { OwnKeyPackage } from "../../src/framing/key-package.ts";
import { createProposal } from "../../src/group/send.ts";
import { at, Group, Member } from "./group.ts";
import type { PartialMember } from "./mixed-group.ts";
import { MixedGroup } from "./mixed-group.ts";
import type { WireSample } from "./wire-samples.ts";

export interface PartialSamples {
  readonly samples: readonly WireSample[];
  readonly receiver: PartialMember;
  readonly joiner: Member;
  /** What `welcome` is for. */
  readonly keyPackage: OwnKeyPackage;
  readonly welcome: Bytes;
  readonly commits: readonly Bytes[];
  readonly application: Bytes;
  readonly proposal: Bytes;
}

export async function partialSamples(): Promise<PartialSamples> {
  const mix = new MixedGroup(await Group.of(["alice", "bob", "carol"]));
  await mix.addPartials(mix.host, [await Member.create("pat")]);
  for (const member of mix.group.members) await mix.commit(member, { forcePath: true });
  const [alice, bob] = [at(mix.group.members, 0), at(mix.group.members, 1)];
  const receiver = at(mix.partials, 0);
  const { leafIndex } = receiver.state;
  const joiner = await Member.create("joiner");
  const keyPackage = await joiner.keyPackage();

  const commits: Bytes[] = [];
  let welcome: Bytes | undefined;
  for (const wireFormat of ["mls_public_message", "mls_private_message"] as const) {
    const { rules, signer, state: before } = alice;
    const proposals = [{ proposalType: 1, keyPackage: keyPackage.keyPackage }] as const;
    const options = { rules, signer, wireFormat, proposals, forcePath: true, treeInWelcome: false };
    const { state, staged } = await createCommit(before, options);
    const after = adoptCommit(state, staged, rules).state;
    const change = { commit: staged.commit, before, after, committer: before.leafIndex, added: staged.added };
    commits.push(annotateCommit(change, leafIndex));
    if (staged.welcome === undefined) throw new Error("there is a Welcome");
    welcome = annotateWelcome(after, staged.welcome, { sender: before.leafIndex, joiner: at(staged.added, 0) });
  }
  const application = annotateMessage(alice.state, await bob.send("hello"), bob.state.leafIndex);
  const { rules, signer } = bob;
  const options = { rules, signer, wireFormat: "mls_public_message" } as const;
  const removal = await createProposal(bob.state, { proposalType: 3, removed: 2 }, options);
  const proposal = annotateMessage(alice.state, removal.message, bob.state.leafIndex);
  if (welcome === undefined) throw new Error("there is a Welcome");

  const proof = membershipProofOf(alice.state, leafIndex);
  const of = <T>(name: string, type: Codec<T>, bytes: Bytes): WireSample => ({
    name,
    type: type as Codec<unknown>,
    bytes,
  });
  const samples = [
    of("CopathHash", copathHash, encode(copathHash, at(proof.copathHashes, 0))),
    of("MembershipProof", membershipProof, encode(membershipProof, proof)),
    of("SenderAuthenticatedMessage<PublicMessage>", senderAuthenticatedMessage("mls_public_message"), proposal),
    of("SenderAuthenticatedMessage<PrivateMessage>", senderAuthenticatedMessage("mls_private_message"), application),
    of("AnnotatedWelcome", annotatedWelcome, welcome),
    ...commits.map((commit) => of("AnnotatedCommit", annotatedCommit, commit)),
  ];
  return { samples, receiver, joiner, keyPackage, welcome, commits, application, proposal };
}
