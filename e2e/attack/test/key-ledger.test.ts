import {
  adoptCommit,
  basicCredential,
  createApplicationMessage,
  createCommit,
  createGroup,
  defaultCapabilities,
  getCipherSuite,
  makeRules,
  utf8,
  type GroupState,
} from "@coppice/core";
import { beforeEach, expect, test } from "vitest";
import { KeyLedger } from "../key-ledger.ts";

const suite = await getCipherSuite(1);
const { privateKey } = await suite.signature.generateKeyPair();
const signer = await suite.signature.importSigner(privateKey);
const rules = makeRules({ authentication: { validate: () => Promise.resolve() }, now: () => 1000n });

let state: GroupState;
let ledger: KeyLedger;

beforeEach(async () => {
  state = await createGroup({
    ...{ suite, rules, signer },
    credential: basicCredential("alice"),
    lifetime: { notBefore: 0n, notAfter: 2000n },
    capabilities: defaultCapabilities([1]),
  });
  ledger = new KeyLedger(suite);
  ledger.learn(state.context.epoch, state.secrets.senderDataSecret);
});

const seal = (from: GroupState, text: string) => createApplicationMessage(from, utf8(text), { rules, signer });

test("messages one after another take a key each", async () => {
  for (const text of ["one", "two", "three"]) {
    const sent = await seal(state, text);
    state = sent.state;
    await ledger.note(sent.message);
  }
  expect(ledger.keys).toBe(3);
  expect(ledger.repeated).toEqual([]);
});

test("two messages from one state have one key: that is found", async () => {
  await ledger.note((await seal(state, "one")).message);
  await ledger.note((await seal(state, "another")).message);
  expect(ledger.keys).toBe(1);
  expect(ledger.repeated).toEqual(["epoch 0, leaf 0, application 0"]);
});

test("the same text sealed twice is no less a repetition: the reuse guards differ", async () => {
  await ledger.note((await seal(state, "one")).message);
  await ledger.note((await seal(state, "one")).message);
  expect(ledger.repeated).toHaveLength(1);
});

test("the same bytes posted twice are one message", async () => {
  const { message } = await seal(state, "one");
  await ledger.note(message);
  await ledger.note(message);
  expect(ledger.repeated).toEqual([]);
});

test("handshakes have a ratchet of their own, and each epoch has its own; two Commits from one state repeat a key", async () => {
  const first = await createCommit(state, { rules, signer });
  const second = await createCommit(state, { rules, signer });
  await ledger.note((await seal(state, "one")).message);
  await ledger.note(first.staged.commit);
  const next = adoptCommit(first.state, first.staged, rules).state;
  ledger.learn(next.context.epoch, next.secrets.senderDataSecret);
  await ledger.note((await seal(next, "two")).message);
  expect(ledger.keys).toBe(3);
  expect(ledger.repeated).toEqual([]);

  await ledger.note(second.staged.commit);
  expect(ledger.repeated).toEqual(["epoch 0, leaf 0, handshake 0"]);
});

test("a message of an epoch that is not known is refused", async () => {
  const { message } = await seal(state, "one");
  await expect(new KeyLedger(suite).note(message)).rejects.toThrow("epoch 0");
});
