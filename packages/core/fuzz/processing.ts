/**
 * Stateful processing: mutated messages into a live group. From outside, every change is refused; from an insider, who signs
 * and tags what it changed, it is refused or leads to a valid state. Either way only by a `CoppiceError`, and the state
 * that was there still opens the genuine message.
 */
import { toHex, utf8 } from "../src/codec/bytes.ts";
import { decode, encode } from "../src/codec/codec.ts";
import { basicCredential } from "../src/identity/credential.ts";
import type { FramedContent } from "../src/framing/framed-content.ts";
import { framedContent } from "../src/framing/framed-content.ts";
import { groupInfo, signGroupInfo } from "../src/framing/group-info.ts";
import { decodeMessage } from "../src/framing/mls-message.ts";
import type { Proposal } from "../src/framing/proposal.ts";
import { createGroupInfo } from "../src/group/export.ts";
import { createExternalCommit } from "../src/group/external-join.ts";
import { joinGroup } from "../src/group/join.ts";
import { processMessage } from "../src/group/receive.ts";
import { createApplicationMessage, createProposal } from "../src/group/send.ts";
import { encodeGroupState } from "../src/group/serialise.ts";
import { keyPackage as keyPackageCodec } from "../src/framing/key-package.ts";
import { forgeCommit, forgeExternalCommit } from "../test/support/forge-commit.ts";
import { forgeKeyPackage, forgeUpdateLeaf, forgeWelcome } from "../test/support/forge-join.ts";
import { sealPrivate, sealPublic, signedContent } from "../test/support/forge-message.ts";
import { ANYBODY, Group, Member, testRules } from "../test/support/group.ts";
import type { Random } from "./random.ts";
import { below, mutate, pick } from "./random.ts";
import type { Target } from "./target.ts";
import { Finding, requireCoppiceError } from "./target.ts";

const rules = testRules({
  authentication: ANYBODY,
  findPsk: (id) => Promise.resolve(id.pskType === "external" ? id.pskId : undefined),
});

export async function processingTargets(): Promise<Target[]> {
  const group = await Group.of(["alice", "bob", "carol", "dave"], { rules });
  const [alice, bob, carol] = [group.member("alice"), group.member("bob"), group.member("carol")];
  for (const member of [bob, carol]) await group.commit(member);
  const newcomer = await Member.create("newcomer", { rules });
  const own = await newcomer.keyPackage();
  const add: Proposal = { proposalType: 1, keyPackage: own.keyPackage };
  const remove: Proposal = { proposalType: 3, removed: 3 };

  // Bob's ratchets are in use, with a key of a message that is still on its way.
  const skipped = await alice.send("skipped");
  await bob.receive(await alice.send("arrived"));
  const genuine = [
    skipped,
    (await createApplicationMessage(alice.state, utf8("hello"), alice)).message,
    (await createProposal(alice.state, { proposalType: 3, removed: 3 }, alice)).message,
    (await forgeCommit(alice, { proposals: [add, remove] })).message,
    (await forgeCommit(alice, { proposals: [add], withPath: false, sealed: {} })).message,
    (await forgeExternalCommit(alice, newcomer, { proposals: [remove] })).message,
  ];
  const before = toHex(encodeGroupState(bob.state));

  /** Nothing of the state changed, and it still works. */
  const expectUntouched = async (random: Random, reproducer: Record<string, Uint8Array | string>): Promise<void> => {
    if (toHex(encodeGroupState(bob.state)) !== before) throw new Finding("the state was changed", reproducer);
    const message = pick(random, genuine);
    await processMessage(bob.state, message, { rules }).catch((cause: unknown) => {
      throw new Finding("the genuine message is refused afterwards", { ...reproducer, genuine: message }, cause);
    });
  };

  const outsider: Target = {
    name: "process a message that was changed on the way",
    run: async (random) => {
      const original = pick(random, genuine);
      const input = mutate(original, random, pick(random, genuine));
      if (toHex(input) === toHex(original)) return;
      const reproducer = { input, state: before };
      const accepted = await processMessage(bob.state, input, { rules }).then(
        () => true,
        (error: unknown) => {
          requireCoppiceError(error, reproducer);
          return false;
        },
      );
      if (accepted && !genuine.some((message) => toHex(message) === toHex(input))) {
        throw new Finding("a changed message is accepted", reproducer);
      }
      await expectUntouched(random, reproducer);
    },
  };

  const updateLeaf = await forgeUpdateLeaf(alice);
  const contents: FramedContent[] = [];
  for (const message of genuine.map((bytes) => decodeMessage(bytes))) {
    if (message.wireFormat === "mls_public_message") contents.push(message.publicMessage.content);
  }
  for (const proposal of [add, remove, { proposalType: 2, leafNode: updateLeaf } as const]) {
    contents.push((await signedContent(alice, { contentType: "proposal", proposal }, "mls_public_message")).content);
  }
  const encoded = contents.map((content) => encode(framedContent, content));

  const insider: Target = {
    name: "process what a member signed after changing it",
    run: async (random) => {
      const input = mutate(pick(random, encoded), random, pick(random, encoded));
      let content: FramedContent;
      try {
        content = decode(framedContent, input);
      } catch (error) {
        requireCoppiceError(error, { input });
        return;
      }
      const isPrivate = content.sender.senderType === "member" && below(random, 3) === 0;
      if (content.content.contentType === "application" && !isPrivate) return;
      const wireFormat = isPrivate ? "mls_private_message" : "mls_public_message";
      const signer = content.sender.senderType === "new_member_commit" ? newcomer.signer : alice.signer;
      const signed = await signedContent(alice, content.content, wireFormat, { framed: content, signer });
      const confirmationTag = content.content.contentType === "commit" ? new Uint8Array(32) : undefined;
      const authenticated = { ...signed, auth: { ...signed.auth, confirmationTag } };
      const message = isPrivate ? await sealPrivate(alice, authenticated) : sealPublic(alice, authenticated);
      const reproducer = { input: message, state: before };
      await processMessage(bob.state, message, { rules }).catch((error: unknown) => {
        requireCoppiceError(error, reproducer);
      });
      await expectUntouched(random, reproducer);
    },
  };

  const { next, welcome: sealed } = (await alice.commit({ proposals: [add], forcePath: true })).staged;
  const welcome = sealed ?? new Uint8Array(0);
  const authenticator = toHex(next.secrets.epochAuthenticator);
  const options = { suite: newcomer.suite, rules, keyPackage: own };
  const joiner: Target = {
    name: "join by a Welcome that was changed on the way",
    run: async (random) => {
      const input = mutate(welcome, random, pick(random, genuine));
      try {
        const message = decodeMessage(input);
        if (message.wireFormat !== "mls_welcome") return;
        const { state } = await joinGroup(message.welcome, options);
        if (toHex(state.secrets.epochAuthenticator) !== authenticator) {
          throw new Finding("joined another group", { input });
        }
      } catch (error) {
        requireCoppiceError(error, { input });
      }
    },
  };

  const inviter = Object.create(alice, { state: { value: { ...alice.state, ...next } } }) as Member;
  const info = encode(groupInfo, await createGroupInfo(inviter.state, alice.signer));
  const invited: Target = {
    name: "join by a Welcome whose GroupInfo a member changed and signed",
    run: async (random) => {
      const input = mutate(info, random, welcome);
      const reproducer = { input };
      try {
        const { signature: _, ...content } = decode(groupInfo, input);
        const path = below(random, 4) === 0 ? { pathSecret: mutate(new Uint8Array(32), random, welcome) } : undefined;
        const edits = { info: content, secrets: { pathSecret: path } };
        await joinGroup(await forgeWelcome(inviter, own, edits), options);
      } catch (error) {
        requireCoppiceError(error, reproducer);
      }
    },
  };

  const external: Target = {
    name: "join by external Commit over a GroupInfo that a member changed and signed",
    run: async (random) => {
      const input = mutate(info, random, welcome);
      try {
        const { signature: _, ...content } = decode(groupInfo, input);
        const signed = await signGroupInfo(content, alice.signer);
        const { suite, signer, capabilities, name } = newcomer;
        const credential = basicCredential(name);
        await createExternalCommit(signed, { suite, rules, signer, capabilities, credential });
      } catch (error) {
        requireCoppiceError(error, { input });
      }
    },
  };

  const packages: Target = {
    name: "add by a key package that its owner changed and signed",
    run: async (random) => {
      const odd = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => mutate(bytes, random, welcome);
      const change = below(random, 5);
      const { keyPackage } = await forgeKeyPackage(newcomer, {
        leaf: (leaf) => ({
          ...leaf,
          ...(change === 0 && { encryptionKey: odd(leaf.encryptionKey) }),
          ...(change === 1 && { signatureKey: odd(leaf.signatureKey) }),
          ...(change === 2 && { credential: { credentialType: 1, identity: odd(utf8("newcomer")) } }),
        }),
        content: (content) => ({ ...content, ...(change === 3 && { initKey: odd(content.initKey) }) }),
        keyPackage: (made) => ({ ...made, ...(change === 4 && { signature: odd(made.signature) }) }),
      });
      const proposals: Proposal[] = [{ proposalType: 1, keyPackage }];
      const reproducer = { input: encode(keyPackageCodec, keyPackage), state: before };
      try {
        const { message } = await forgeCommit(alice, { proposals, withPath: false });
        await processMessage(bob.state, message, { rules });
        await carol.commit({ proposals, forcePath: true });
      } catch (error) {
        requireCoppiceError(error, reproducer);
      }
      await expectUntouched(random, reproducer);
    },
  };
  return [outsider, insider, joiner, invited, external, packages];
}
