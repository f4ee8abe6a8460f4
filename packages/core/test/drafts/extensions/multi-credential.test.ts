/** Multi-credentials (draft-ietf-mls-extensions-10 §6.5). */
import { describe, expect, test } from "vitest";
import { EMPTY } from "../../../src/codec/bytes.ts";
import { getCipherSuite } from "../../../src/crypto/cipher-suite.ts";
import type { LocalSigner } from "../../../src/crypto/signature.ts";
import type { CredentialBinding } from "../../../src/drafts/extensions/multi-credential.ts";
import {
  bindCredential,
  multiCredential,
  readBindings,
  weakMultiCredential,
  withMultiCredentials,
} from "../../../src/drafts/extensions/multi-credential.ts";
import { withExtensions } from "../../../src/drafts/extensions/with-extensions.ts";
import { defaultCapabilities } from "../../../src/extensions/capabilities.ts";
import type { Identity } from "../../../src/identity/authentication.ts";
import type { BoundCredentials, Credential } from "../../../src/identity/credential.ts";
import { basicCredential } from "../../../src/identity/credential.ts";
import { createGroup } from "../../../src/group/create.ts";
import { createKeyPackage } from "../../../src/framing/key-package.ts";
import type { Rules } from "../../../src/rules.ts";
import { forgeCommit } from "../../support/forge-commit.ts";
import { expectRefusal, Group, LIFETIME, Member, testRules } from "../../support/group.ts";

const [suite, other] = await Promise.all([getCipherSuite(1), getCipherSuite(2)]);
const makeSigner = async (of = suite): Promise<LocalSigner> =>
  of.signature.importSigner((await of.signature.generateKeyPair()).privateKey);

const seen: Identity[] = [];
const inner = {
  validate: (identity: Identity): Promise<void> => {
    seen.push(identity);
    const { credential } = identity;
    const name = credential.credentialType === 1 ? new TextDecoder().decode(credential.identity) : "?";
    return name === "mallory" ? Promise.reject(new Error("not her")) : Promise.resolve();
  },
};
const rulesFor = (suites: (typeof suite)[]): Rules =>
  withExtensions(testRules({ authentication: withMultiCredentials(inner, { credentialTypes: [1], suites }) }), {
    components: [],
  });
const rules = rulesFor([suite, other]);

/** One who has this credential, and supports these suites. */
class Holder {
  readonly member: Member;
  readonly suites: readonly number[];
  constructor(member: Member, suites: readonly number[]) {
    this.member = member;
    this.suites = suites;
  }
  get options(): Parameters<typeof createKeyPackage>[0] {
    const { signer, credential, rules: own } = this.member;
    const capabilities = defaultCapabilities(this.suites, {
      ...{ extensions: own.supportedExtensions, proposals: [8, 9, 10], credentials: [1, 3, 4] },
    });
    return { suite, signer, credential, capabilities, lifetime: LIFETIME };
  }
}

async function bindingFor(member: Member, credential: Credential, of = suite): Promise<CredentialBinding> {
  return bindCredential(of, { credential, signer: await makeSigner(of), signatureKey: member.signer.publicKey });
}

async function holder(
  name: string,
  make: (member: Member) => Promise<Credential>,
  suites: readonly number[] = [1, 2],
): Promise<Holder> {
  const member = await Member.create(name, { rules });
  member.credential = await make(member);
  return new Holder(member, suites);
}

const both = async (member: Member): Promise<BoundCredentials> =>
  multiCredential([
    await bindingFor(member, basicCredential(member.name)),
    await bindingFor(member, basicCredential(`${member.name}@work`), other),
  ]);

async function foundAndAdd(founder: Holder, added: Holder): Promise<Group> {
  founder.member.state = await createGroup({ ...founder.options, rules });
  const own = await createKeyPackage(added.options);
  const made = await founder.member.commit({ proposals: [{ proposalType: 1, keyPackage: own.keyPackage }] });
  founder.member.adopt(made);
  await added.member.join(made.staged.welcome, own);
  return Group.joined([founder.member, added.member]);
}

test("a member of two credentials: each is judged with its own key", async () => {
  seen.length = 0;
  const group = await foundAndAdd(await holder("alice", both), await holder("bob", both));
  await group.commit(group.member("bob"));
  await group.chat(group.member("alice"), "hello");
  const names = new Set(
    seen.map(({ credential }) =>
      credential.credentialType === 1 ? new TextDecoder().decode(credential.identity) : "?",
    ),
  );
  expect(names).toEqual(new Set(["alice", "alice@work", "bob", "bob@work"]));
  const keys = new Set(seen.map(({ signatureKey }) => signatureKey));
  expect(keys.has(group.member("alice").signer.publicKey)).toBe(false);
});

test("R-13.5-3: without the service the type is refused, made and received", async () => {
  const alice = await holder("alice", both);
  const plain = testRules();
  await expect(createGroup({ ...alice.options, rules: plain })).rejects.toMatchObject({
    code: "ERR_MLS_CREDENTIAL",
    requirement: "R-13.5-3",
  });
});

describe("refused", () => {
  const cases: readonly (readonly [string, string, (member: Member) => Promise<Credential>])[] = [
    [
      "X-6.5-3",
      "a binding to another leaf's key",
      async (member) =>
        multiCredential([{ ...(await bindingFor(member, basicCredential("a"))), signature: new Uint8Array(64) }]),
    ],
    [
      "X-6.5-3",
      "a binding that was made for somebody else",
      async () => multiCredential([await bindingFor(await Member.create("eve"), basicCredential("a"))]),
    ],
    [
      "X-6.5-3",
      "another credential than the one that was bound",
      async (member) =>
        multiCredential([{ ...(await bindingFor(member, basicCredential("a"))), credential: basicCredential("b") }]),
    ],
    ["X-6.5-1", "no binding", () => Promise.resolve({ credentialType: 3, bindings: EMPTY })],
    ["X-6.5-1", "no binding, weakly", () => Promise.resolve({ credentialType: 4, bindings: EMPTY })],
    [
      "X-6.5-2",
      "a multi-credential within one",
      async (member) => multiCredential([await bindingFor(member, await both(member))]),
    ],
    [
      "X-6.5-4",
      "a binding of a suite that is not supported",
      async (member) => multiCredential([{ ...(await bindingFor(member, basicCredential("a"))), cipherSuite: 3 }]),
    ],
    [
      "X-6.5-5",
      "weak bindings of which none is supported",
      async (member) => weakMultiCredential([{ ...(await bindingFor(member, basicCredential("a"))), cipherSuite: 3 }]),
    ],
    [
      "R-5.3.1-1",
      "a credential that the application refuses",
      async (member) => multiCredential([await bindingFor(member, basicCredential("mallory"))]),
    ],
  ];

  test.each(cases)("%s: %s", async (requirement, _, make) => {
    const alice = await holder("alice", both);
    const bad = await holder("bad", make, [1, 2, 3]);
    const group = await foundAndAdd(alice, await holder("bob", both));
    const { keyPackage } = await createKeyPackage(bad.options);
    const add = { proposalType: 1, keyPackage } as const;
    const bob = group.member("bob");
    const { message } = await forgeCommit(group.member("alice"), { proposals: [add] });
    const error: unknown = await bob.peek(message).catch((caught: unknown) => caught);
    // The authentication service's refusal is the cause.
    const ids = [error, (error as Error).cause].map(
      (one) => (one as { requirement?: string } | undefined)?.requirement,
    );
    expect(ids).toContain(requirement);
    await expectRefusal(bob, { code: "ERR_MLS_CREDENTIAL" }, () => bob.peek(message));
  });

  test("X-6.5-4: a group in which a member does not support all bindings of another one", async () => {
    const alice = await holder("alice", both);
    alice.member.state = await createGroup({ ...alice.options, rules });
    const bob = await holder("bob", (member) => Promise.resolve(basicCredential(member.name)), [1]);
    const { keyPackage } = await createKeyPackage(bob.options);
    await expectRefusal(alice.member, { code: "ERR_MLS_CAPABILITIES", requirement: "X-6.5-4" }, () =>
      alice.member.commit({ proposals: [{ proposalType: 1, keyPackage }] }),
    );
  });

  test("X-6.5-5: with weak bindings, one in common is enough, and none is too few", async () => {
    const weak = async (member: Member): Promise<BoundCredentials> =>
      weakMultiCredential(readBindings(await both(member)));
    const alice = await holder("alice", weak);
    const bob = await holder("bob", (member) => Promise.resolve(basicCredential(member.name)), [1]);
    const group = await foundAndAdd(alice, bob);
    expect(group.members).toHaveLength(2);
    const only = async (member: Member): Promise<BoundCredentials> =>
      weakMultiCredential([await bindingFor(member, basicCredential("c"), other)]);
    const carol = await holder("carol", only);
    const { keyPackage } = await createKeyPackage(carol.options);
    await expectRefusal(alice.member, { code: "ERR_MLS_CAPABILITIES", requirement: "X-6.5-5" }, () =>
      alice.member.commit({ proposals: [{ proposalType: 1, keyPackage }] }),
    );
  });
});

test("of a weak credential a client judges what it supports, and its credential can be renewed", async () => {
  const authentication = withMultiCredentials(inner, { credentialTypes: [1], suites: [suite] });
  const alice = await Member.create("alice");
  const bindings = readBindings(await both(alice));
  const forged = bindings.map((binding, i) => (i === 0 ? binding : { ...binding, signature: EMPTY }));
  const request = { signatureKey: alice.signer.publicKey, moment: "update", previous: undefined } as const;
  await authentication.validate({ ...request, credential: weakMultiCredential(forged) });
  seen.length = 0;
  const previous = { credential: multiCredential(bindings.slice(0, 1)), signatureKey: alice.signer.publicKey };
  await authentication.validate({ ...request, previous, credential: weakMultiCredential(forged) });
  expect(seen).toHaveLength(1);
  expect(() => multiCredential([])).toThrow(RangeError);
});
