/** A group in which some members are partial: the first full member annotates for them. */
import { expect } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { concat, toHex, utf8 } from "../../src/codec/bytes.ts";
import type { CreateCommitOptions } from "../../src/commit/create.ts";
import type { CommitToAnnotate } from "../../src/drafts/partial/annotate.ts";
import {
  annotateCommit,
  annotateMessage,
  annotateOwnMessage,
  annotateWelcome,
} from "../../src/drafts/partial/annotate.ts";
import { joinPartially } from "../../src/drafts/partial/join.ts";
import type { PartialGroupState } from "../../src/drafts/partial/partial-state.ts";
import type { PartialCommit } from "../../src/drafts/partial/process-commit.ts";
import { processAnnotatedCommit } from "../../src/drafts/partial/process-commit.ts";
import type { PartiallyReceived } from "../../src/drafts/partial/receive.ts";
import { processSenderAuthenticated } from "../../src/drafts/partial/receive.ts";
import { decodeMessage } from "../../src/framing/mls-message.ts";
import type { Proposal } from "../../src/framing/proposal.ts";
import { createApplicationMessage } from "../../src/group/send.ts";
import type { GroupState, PublicGroupState } from "../../src/state/group-state.ts";
import { ownLeaf } from "../../src/state/group-state.ts";
import type { LeafNode } from "../../src/tree/leaf-node.ts";
import type { Rules } from "../../src/rules.ts";
import type { ExternalJoinOptions } from "../../src/group/external-join.ts";
import { at, type Group, type Member } from "./group.ts";

/** A partial member with the client that it is. */
export class PartialMember {
  readonly client: Member;
  state: PartialGroupState;

  constructor(client: Member, state: PartialGroupState) {
    this.client = client;
    this.state = state;
  }

  get rules(): Rules {
    return this.client.rules;
  }

  get ownLeaf(): LeafNode {
    return ownLeaf(this.state);
  }

  /** Follows a Commit. */
  async follow(annotated: Bytes): Promise<PartialCommit> {
    const done = await processAnnotatedCommit(this.state, annotated, this);
    this.state = done.state;
    return done;
  }

  /** Takes a message with the proof of its sender. */
  async receive(
    annotated: Bytes,
    wireFormat: "mls_public_message" | "mls_private_message",
  ): Promise<PartiallyReceived> {
    const done = await processSenderAuthenticated(this.state, annotated, { wireFormat, rules: this.rules });
    this.state = done.state;
    return done;
  }

  async send(text: string): Promise<Bytes> {
    const { rules, signer } = this.client;
    const { state, message } = await createApplicationMessage(this.state, utf8(text), { rules, signer });
    this.state = state;
    return message;
  }
}

export const formatOf = (message: Bytes): "mls_public_message" | "mls_private_message" => {
  const { wireFormat } = decodeMessage(message);
  if (wireFormat === "mls_public_message" || wireFormat === "mls_private_message") return wireFormat;
  throw new TypeError(`${wireFormat} is not sent to a group`);
};

/** What identifies an epoch. */
const viewOf = ({
  context,
  secrets,
  interimTranscriptHash,
}: Pick<GroupState, "context" | "secrets" | "interimTranscriptHash">): string =>
  toHex(concat(context.treeHash, secrets.epochAuthenticator, interimTranscriptHash));

export class MixedGroup {
  readonly group: Group;
  /** Sees each AnnotatedCommit before it is followed. */
  onAnnotated: (partial: PartialMember, annotated: Bytes) => Promise<void> = () => Promise.resolve();
  partials: PartialMember[] = [];

  constructor(group: Group) {
    this.group = group;
  }

  get host(): Member {
    return at(this.group.members, 0);
  }

  /** Adds partial members, all by one Commit; those who are partial already follow it. */
  async addPartials(
    committer: Member,
    newcomers: readonly Member[],
    options: Partial<CreateCommitOptions> = {},
  ): Promise<PartialMember[]> {
    const packages = await Promise.all(newcomers.map((newcomer) => newcomer.keyPackage()));
    const proposals = packages.map(({ keyPackage }): Proposal => ({ proposalType: 1, keyPackage }));
    const { staged } = await this.commit(committer, { ...options, proposals, treeInWelcome: false });
    const joined = [];
    for (const [i, client] of newcomers.entries()) {
      const [joiner, keyPackage] = [staged.added[i], packages[i]];
      if (staged.welcome === undefined || joiner === undefined || keyPackage === undefined)
        throw new Error("nobody was added");
      const welcome = annotateWelcome(committer.state, staged.welcome, { sender: committer.state.leafIndex, joiner });
      const { suite, rules } = client;
      joined.push(new PartialMember(client, (await joinPartially(welcome, { suite, rules, keyPackage })).state));
    }
    this.partials.push(...joined);
    this.expectAgreement();
    return joined;
  }

  /** Commits; full members process the Commit and partial ones follow it. */
  async commit(
    committer: Member,
    options: Partial<CreateCommitOptions> = {},
  ): Promise<Awaited<ReturnType<Group["commit"]>>> {
    const before = committer.state;
    const made = await this.group.commit(committer, options);
    const { commit, added } = made.staged;
    await this.followAll({ commit, before, after: committer.state, committer: before.leafIndex, added });
    return made;
  }

  /** A client joins as a full member by an external Commit. */
  async joinExternally(newcomer: Member, options: Partial<ExternalJoinOptions> = {}): Promise<void> {
    const before = this.host.state;
    let commit: Bytes | undefined;
    const { onHandshake } = this.group;
    this.group.onHandshake = (message) => {
      commit = message;
      return onHandshake(message);
    };
    await this.group.joinExternally(newcomer, options);
    this.group.onHandshake = onHandshake;
    if (commit === undefined) throw new Error("nobody joined");
    const { state: after } = newcomer;
    await this.followAll({ commit, before, after, committer: after.leafIndex, added: [] });
  }

  /** Lets partial members follow a Commit that full ones have processed. */
  async followAll(
    change: CommitToAnnotate & { readonly commit: Bytes; readonly after: Pick<PublicGroupState, "suite" | "tree"> },
  ): Promise<void> {
    const stay: PartialMember[] = [];
    for (const partial of this.partials) {
      if (isThere(change.after, partial)) {
        const annotated = annotateCommit(change, partial.state.leafIndex);
        await this.onAnnotated(partial, annotated);
        await partial.follow(annotated);
        stay.push(partial);
      } else {
        const { commit, before, committer } = change;
        const told = await partial.receive(annotateMessage(before, commit, committer), formatOf(commit));
        expect(told.kind).toBe("removed");
      }
    }
    this.partials = stay;
    this.expectAgreement();
  }

  /** A full member's proposal, which everybody else processes. */
  async propose(proposer: Member, sent: { readonly state: GroupState; readonly message: Bytes }): Promise<void> {
    const { leafIndex } = proposer.state;
    await this.group.propose(proposer, sent);
    const annotated = annotateMessage(this.host.state, sent.message, leafIndex);
    for (const partial of this.partials) await partial.receive(annotated, formatOf(sent.message));
  }

  /** A partial member's proposal, which everybody else processes. */
  async proposePartially(
    proposer: PartialMember,
    sent: { readonly state: PartialGroupState; readonly message: Bytes },
  ): Promise<void> {
    proposer.state = sent.state;
    for (const member of this.group.members) await member.receive(sent.message);
    const annotated = annotateOwnMessage(proposer.state, sent.message);
    for (const partial of this.partials)
      if (partial !== proposer) await partial.receive(annotated, formatOf(sent.message));
  }

  /** A message of a full or a partial member, which everybody else reads. */
  async chat(sender: Member | PartialMember, text: string): Promise<void> {
    const message = await sender.send(text);
    const isPartial = sender instanceof PartialMember;
    const annotated = isPartial
      ? annotateOwnMessage(sender.state, message)
      : annotateMessage(this.host.state, message, sender.state.leafIndex);
    const read = (data: PartiallyReceived | Awaited<ReturnType<Member["receive"]>>): void => {
      expect(data.kind === "application" && new TextDecoder().decode(data.data)).toBe(text);
      expect(data.kind === "application" && data.sender.leafIndex).toBe(sender.state.leafIndex);
    };
    for (const member of this.group.members) if (member !== sender) read(await member.receive(message));
    for (const partial of this.partials)
      if (partial !== sender) read(await partial.receive(annotated, "mls_private_message"));
  }

  /** Full and partial members share epoch, tree hash and authenticator. */
  expectAgreement(): void {
    this.group.expectAgreement();
    const expected = viewOf(this.host.state);
    for (const { state } of this.partials) expect(viewOf(state)).toBe(expected);
  }
}

/** Whether a partial member is in the tree with the leaf that it had. */
const isThere = ({ tree }: Pick<PublicGroupState, "tree">, { state }: PartialMember): boolean => {
  const leaf = tree.findLeaf(state.leafIndex);
  const own = state.tree.findLeaf(state.leafIndex);
  return leaf !== undefined && own !== undefined && toHex(leaf.signatureKey) === toHex(own.signatureKey);
};
