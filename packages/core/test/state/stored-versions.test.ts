/** States that released versions have stored go on working in later ones. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fromHex, toHex, utf8 } from "../../src/codec/bytes.ts";
import { adoptCommit } from "../../src/commit/create.ts";
import { getCipherSuite } from "../../src/crypto/cipher-suite.ts";
import { processMessage } from "../../src/group/receive.ts";
import { createApplicationMessage } from "../../src/group/send.ts";
import { decodeGroupState, decodeOwnKeyPackage, decodeStagedCommit } from "../../src/group/serialise.ts";
import { testRules } from "../support/group.ts";

interface Fixture {
  readonly state: string;
  readonly staged: string;
  readonly keyPackage: string;
  readonly keyPackageRef: string;
  readonly signaturePrivateKey: string;
  readonly epochAuthenticator: string;
  readonly messages: Readonly<Record<"late" | "skipped" | "next", string>>;
  readonly commit: string;
}

const rules = testRules();
const suite = await getCipherSuite(1);

/** One for each version of the format. */
test.each([2])("version %i: messages, staged Commit and Update key of a stored state (R-14-3)", async (version) => {
  const file = new URL(`../fixtures/group-state-v${String(version)}.json`, import.meta.url);
  const { messages, ...stored } = JSON.parse(readFileSync(file, "utf8")) as Fixture;
  const state = await decodeGroupState(fromHex(stored.state));
  expect(toHex(state.secrets.epochAuthenticator)).toBe(stored.epochAuthenticator);
  expect(toHex(state.tree.treeHash(suite.hash))).toBe(toHex(state.context.treeHash));

  let after = state;
  for (const [text, message] of Object.entries(messages)) {
    const received = await processMessage(after, fromHex(message), { rules });
    expect(received.kind === "application" && received.data).toEqual(utf8(text));
    await expect(processMessage(received.state, fromHex(message), { rules })).rejects.toMatchObject({
      code: "ERR_MLS_REPLAY",
    });
    after = received.state;
  }

  const committed = await processMessage(after, fromHex(stored.commit), { rules });
  expect(committed.kind).toBe("commit");
  const adopted = adoptCommit(after, await decodeStagedCommit(after, fromHex(stored.staged)), rules).state;
  const signer = await suite.signature.importSigner(fromHex(stored.signaturePrivateKey));
  for (const next of [committed.state, adopted]) {
    expect(next.context.epoch).toBe(state.context.epoch + 1n);
    expect((await createApplicationMessage(next, utf8("on"), { rules, signer })).message.length).toBeGreaterThan(0);
  }

  const own = decodeOwnKeyPackage(suite, fromHex(stored.keyPackage));
  expect(toHex(own.ref)).toBe(stored.keyPackageRef);
});
