/**
 * Hooks of the application (RFC 9420 §5.3.1, §12.2): whatever is not the documented agreement refuses, and the state stays. One that never settles is given up where the caller has a signal.
 */
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { EMPTY, utf8 } from "../../src/codec/bytes.ts";
import { nothing } from "../../src/codec/codec.ts";
import { basicCredential } from "../../src/identity/credential.ts";
import { decodeMessageOf } from "../../src/framing/mls-message.ts";
import type { Welcome } from "../../src/framing/welcome.ts";
import { createExternalCommit } from "../../src/group/external-join.ts";
import { createGroupInfo } from "../../src/group/export.ts";
import type { JoinOptions } from "../../src/group/join.ts";
import { joinGroup } from "../../src/group/join.ts";
import { openMany } from "../../src/group/open-many.ts";
import { observeGroup } from "../../src/group/public-group.ts";
import { createNewMemberProposal } from "../../src/group/propose-from-outside.ts";
import { createApplicationMessage } from "../../src/group/send.ts";
import type { OwnKeyPackage } from "../../src/framing/key-package.ts";
import type { CustomProposalType } from "../../src/proposal/custom-proposal.ts";
import { defineProposalType } from "../../src/proposal/custom-proposal.ts";
import type { Rules } from "../../src/rules.ts";
import type { Proposal } from "../../src/framing/proposal.ts";
import { forgeWelcome } from "../support/forge-join.ts";
import type { Expected } from "../support/group.ts";
import { expectRefusal, Group, Member, testRules } from "../support/group.ts";

/** What hooks answer that do not do what is documented. */
const HOSTILE: readonly (readonly [string, () => unknown])[] = [
  ["async () => false", () => Promise.resolve(false)],
  ["async () => true", () => Promise.resolve(true)],
  ["async () => 0", () => Promise.resolve(0)],
  ["() => 0", () => 0],
  ["() => null", () => null],
  ["() => {}", () => ({})],
  [
    "() => { throw }",
    () => {
      throw new Error("a bug");
    },
  ],
];
/** Nothing that was received is to blame for a store that fails: these say what they were asked for. */
const NO_REFUSAL = /a pre-shared key must be a Uint8Array|findGroup must return|a bug/u;
const hook = (answer: () => unknown): never => answer as never;

const poll = (apply?: () => unknown): CustomProposalType<object> =>
  defineProposalType({
    ...{ customType: 0xf001, body: nothing, external: false, pathRequired: false, order: "last" },
    ...(apply && { apply: hook(apply) }),
  });
const rules = testRules({ proposalTypes: [poll()], findPsk: () => Promise.resolve(utf8("value")) });
const group = await Group.of(["alice", "bob"], { rules });
const [alice, bob] = [group.member("alice"), group.member("bob")];
const newcomer = await Member.create("newcomer", { rules });
const own = await newcomer.keyPackage();
const add: Proposal = { proposalType: 1, keyPackage: own.keyPackage };
const pskId = { pskType: "external", pskId: utf8("id"), pskNonce: new Uint8Array(32) } as const;
const psk: Proposal = { proposalType: 4, psk: pskId };
const commitOf = async (...proposals: readonly Proposal[]): Promise<Bytes> =>
  (await alice.commit({ proposals })).staged.commit;
const [adding, mixing, polling] = [await commitOf(add), await commitOf(psk), await commitOf(poll().propose({}))];
const renaming = (await alice.commit({ leaf: { credential: basicCredential("alice") }, forcePath: true })).staged
  .commit;
const asking = await createNewMemberProposal(bob.state.context, own.keyPackage, newcomer);

/** Bob, with these rules, refuses the message, and takes it with good ones. */
async function refusesTo(message: Bytes, hostile: Partial<Rules>, expected: Expected, good: Partial<Rules> = {}) {
  bob.rules = { ...rules, ...hostile };
  await expectRefusal(bob, expected, () => bob.peek(message)).finally(() => {
    bob.rules = rules;
  });
  bob.rules = { ...rules, ...good };
  await bob.peek(message);
  bob.rules = rules;
}

describe.each(HOSTILE)("a hook that is %s", (_, answer) => {
  const validate = (): Promise<void> => Promise.resolve();

  test("authentication.validate", async () => {
    await refusesTo(adding, { authentication: { validate: hook(answer) } }, { code: "ERR_MLS_CREDENTIAL" });
  });

  test("allowProposals", async () => {
    await refusesTo(renaming, { allowProposals: hook(answer) }, { code: "ERR_MLS_POLICY", requirement: "R-12.2-15" });
  });

  test("allowOutsideProposal", async () => {
    const good = { allowOutsideProposal: () => Promise.resolve() };
    const expected: Expected = { code: "ERR_MLS_POLICY", requirement: "R-12.1.8-4" };
    await refusesTo(asking, { allowOutsideProposal: hook(answer) }, expected, good);
  });

  test("findPsk, of a Commit that is made or received, and of a Welcome", async () => {
    const hostile = { ...rules, findPsk: hook(answer) };
    bob.rules = hostile;
    await expect(bob.peek(mixing)).rejects.toThrow(NO_REFUSAL);
    bob.rules = rules;
    await expect(alice.commit({ rules: hostile, proposals: [psk] })).rejects.toThrow(NO_REFUSAL);
    const id = [{ id: pskId, psk: utf8("value") }];
    const { welcome, keyPackage } = await invited((joiner) => forgeWelcome(alice, joiner, { psks: id }));
    const joining = { suite: newcomer.suite, keyPackage };
    await expect(joinGroup(welcome, { ...joining, rules: hostile })).rejects.toThrow(NO_REFUSAL);
  });

  test("apply, of a custom proposal type", async () => {
    const expected: Expected = { code: "ERR_MLS_PROPOSAL", requirement: "R-12.3-4" };
    await refusesTo(polling, { proposalTypes: [poll(answer)] }, expected);
  });

  test("findGroup", async () => {
    const id = { pskType: "resumption", usage: "branch", pskGroupId: utf8("old"), pskEpoch: 0n } as const;
    const psks = [{ id: { ...id, pskNonce: new Uint8Array(32) }, psk: utf8("value") }];
    const { welcome, keyPackage } = await invited((joiner) => forgeWelcome(alice, joiner, { psks }));
    const options: JoinOptions = { suite: newcomer.suite, rules, keyPackage, findGroup: hook(answer) };
    await expect(joinGroup(welcome, options)).rejects.toThrow(NO_REFUSAL);
  });

  test("sameClient, sameIdentity and isKnownGroup", async () => {
    const expected: Expected = { code: "ERR_MLS_POLICY" };
    await refusesTo(adding, { authentication: { validate, sameClient: hook(answer) } }, expected);
    const { staged } = await alice.commit({
      rules: { ...rules, authentication: { validate, sameIdentity: () => true } },
      leaf: { credential: basicCredential("alice 2") },
    });
    const agreeing = { authentication: { validate, sameIdentity: () => true } };
    await refusesTo(staged.commit, { authentication: { validate, sameIdentity: hook(answer) } }, expected, agreeing);
    const info = await createGroupInfo(alice.state, alice.signer);
    const { welcome, keyPackage } = await invited((joiner) => forgeWelcome(alice, joiner));
    const options: JoinOptions = { suite: newcomer.suite, rules, keyPackage, isKnownGroup: hook(answer) };
    await expect(joinGroup(welcome, options)).rejects.toMatchObject(expected);
    await observeGroup(info, { suite: newcomer.suite, rules });
  });

  test("now and padding: a mistake of the caller's, before anything is sent", async () => {
    bob.rules = { ...rules, now: hook(answer) };
    await expect(bob.peek(adding)).rejects.toThrow(/rules\.now must return a bigint|a bug/u);
    bob.rules = rules;
    const padding = hook(answer);
    const sending = createApplicationMessage(alice.state, utf8("hello"), { ...alice, rules, padding });
    await expect(sending).rejects.toThrow(/A padding policy returns|a bug/u);
  });
});

/** A Welcome into the group as it is, for a key package that the tree has. */
async function invited(
  make: (joiner: OwnKeyPackage) => Promise<Welcome>,
): Promise<{ readonly welcome: Welcome; readonly keyPackage: OwnKeyPackage }> {
  const keyPackage = await (await Member.create("guest", { rules })).keyPackage();
  return { welcome: await make(keyPackage), keyPackage };
}

describe("a hook that never settles", () => {
  const never = (): Promise<never> => new Promise(() => undefined);

  /** Gives up once the hook was asked. */
  async function givenUp(
    attempt: (asked: () => Promise<never>, signal: AbortSignal) => Promise<unknown>,
  ): Promise<void> {
    const controller = new AbortController();
    const reason = new Error("nobody waits any longer");
    const asked = (): Promise<never> => {
      controller.abort(reason);
      return never();
    };
    await expect(attempt(asked, controller.signal)).rejects.toBe(reason);
  }

  test("holds up none who joins, observes or opens, and aborts", async () => {
    const { staged } = await alice.commit({ proposals: [add] });
    const welcome = decodeMessageOf("mls_welcome", staged.welcome ?? EMPTY).welcome;
    const { suite, signer, capabilities } = newcomer;
    const joining = { suite, keyPackage: own, rules };
    await joinGroup(welcome, joining);
    const info = await createGroupInfo(alice.state, alice.signer);
    const asking = (validate: () => Promise<never>): Rules => ({ ...rules, authentication: { validate } });
    await givenUp((asked, signal) => joinGroup(welcome, { ...joining, rules: asking(asked), signal }));
    await givenUp((onProgress, signal) => joinGroup(welcome, { ...joining, onProgress, signal }));
    await givenUp((asked, signal) => observeGroup(info, { suite, rules: asking(asked), signal }));
    const about = { suite, signer, capabilities, credential: basicCredential("newcomer") };
    await givenUp((asked, signal) => createExternalCommit(info, { ...about, rules: asking(asked), signal }));
    await givenUp((onProgress, signal) => openMany(bob.state, [adding], { rules, onProgress, signal }));
  });
});
