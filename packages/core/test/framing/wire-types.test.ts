/** Every wire type, cut at every byte and with one byte more (RFC 9420 §2.1, §6, §10, §12.4.3). */
import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/codec/bytes.ts";
import { concat, EMPTY, fromHex, toHex, utf8 } from "../../src/codec/bytes.ts";
import type { Codec } from "../../src/codec/codec.ts";
import { decode, decodeReceived, encode } from "../../src/codec/codec.ts";
import { credential } from "../../src/identity/credential.ts";
import { extensions } from "../../src/extensions/extension.ts";
import { commit } from "../../src/framing/commit.ts";
import { authenticatedContent, framedContent, sender } from "../../src/framing/framed-content.ts";
import { groupInfo, ratchetTree } from "../../src/framing/group-info.ts";
import { decodeMessage, decodeMessageOf, encodeMessage, mlsMessage } from "../../src/framing/mls-message.ts";
import type { Proposal } from "../../src/framing/proposal.ts";
import { proposal } from "../../src/framing/proposal.ts";
import { publicMessage } from "../../src/framing/public-message.ts";
import { keyPackage } from "../../src/framing/key-package.ts";
import { groupContext } from "../../src/schedule/group-context.ts";
import { preSharedKeyId } from "../../src/schedule/psk.ts";
import { leafNode } from "../../src/tree/leaf-node.ts";
import type { WireNode } from "../../src/tree/parent-node.ts";
import type { CommitEdits } from "../support/forge-commit.ts";
import { forgeCommit } from "../support/forge-commit.ts";
import { forgePublic } from "../support/forge-message.ts";
import { expectRefusal } from "../support/group.ts";
import { wireSamples } from "../support/wire-samples.ts";

const { samples, alice, info, leaf, newcomer, authenticated } = await wireSamples();
const nonce = new Uint8Array(32).fill(3);

const refusal = expect.objectContaining({ name: "CoppiceError" }) as unknown;

describe.each(samples)("$name", ({ type, bytes }) => {
  test("is read and written back to the same bytes (R-2.1-5)", () => {
    expect(toHex(encode(type, decode(type, bytes)))).toBe(toHex(bytes));
  });

  test("cut at any byte, or with one more, is refused (R-2.1-4, R-2.1.2-6, R-6.3-1, R-7.1-1, R-7.2-1, R-7.6-1, R-12.4.3.1-1, adversarial 1)", () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decode(type, bytes.subarray(0, length))).toThrow(refusal);
    }
    expect(() => decode(type, concat(bytes, Uint8Array.of(0)))).toThrow(
      expect.objectContaining({ code: "ERR_MLS_DECODE", requirement: "R-2.1-4" }),
    );
  });
});

describe("undefined values of closed enums (R-2.1-2, R-6-4, R-6-5, R-7.2-2, R-8.4-1)", () => {
  test.each<[string, Codec<unknown>, Bytes]>([
    ["ContentType", framedContent as Codec<unknown>, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0)],
    ["ContentType 4", framedContent as Codec<unknown>, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 4)],
    ["SenderType 0", sender as Codec<unknown>, Uint8Array.of(0)],
    ["SenderType 5", sender as Codec<unknown>, Uint8Array.of(5)],
    ["PSKType 0", preSharedKeyId as Codec<unknown>, Uint8Array.of(0, 0, 0)],
    ["PSKType 4", preSharedKeyId as Codec<unknown>, Uint8Array.of(4, 0, 0)],
    ["ResumptionPSKUsage 0", preSharedKeyId as Codec<unknown>, Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
    ["ResumptionPSKUsage 4", preSharedKeyId as Codec<unknown>, Uint8Array.of(2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
    ["NodeType 0", ratchetTree as Codec<unknown>, Uint8Array.of(2, 1, 0)],
    ["NodeType 3", ratchetTree as Codec<unknown>, Uint8Array.of(2, 1, 3)],
    ["ProposalOrRefType 0", commit as Codec<unknown>, Uint8Array.of(1, 0, 0)],
    ["ProposalOrRefType 3", commit as Codec<unknown>, Uint8Array.of(2, 3, 0, 0)],
  ])("%s: refused", (_, type, bytes) => {
    expect(() => decode(type, bytes)).toThrow(
      expect.objectContaining({ code: "ERR_MLS_DECODE", requirement: "R-2.1-2" }),
    );
  });
});

describe("the outermost type (R-6-3)", () => {
  const bytes = encodeMessage({ wireFormat: "mls_key_package", keyPackage: newcomer });
  const edited = (at: number, value: number): Bytes => bytes.map((byte, i) => (i === at ? value : byte));

  test.each([0, 2, 255])("of version %i: refused", (version) => {
    expect(() => decodeMessage(edited(1, version))).toThrow(
      expect.objectContaining({ code: "ERR_MLS_VERSION", requirement: "R-6-3" }),
    );
  });

  test.each([0, 6, 255])("of wire format %i: refused", (format) => {
    expect(() => decodeMessage(edited(3, format))).toThrow(
      expect.objectContaining({ code: "ERR_MLS_DECODE", requirement: "R-2.1-2" }),
    );
  });

  test("of another kind than expected: refused (adversarial 18)", () => {
    expect(() => decodeMessageOf("mls_welcome", bytes)).toThrow(
      expect.objectContaining({
        code: "ERR_MLS_DECODE",
        detail: { expected: "mls_welcome", received: "mls_key_package" },
      }),
    );
  });

  test("with a key package of another version: refused (R-10-6)", () => {
    expect(() => decodeMessage(edited(5, 2))).toThrow(
      expect.objectContaining({ code: "ERR_MLS_VERSION", requirement: "R-10-6" }),
    );
  });
});

describe("extension lists (R-13.4-3, adversarial 7)", () => {
  const twice = [
    { extensionType: 0xf00d, extensionData: EMPTY },
    { extensionType: 0xf00d, extensionData: nonce },
  ];
  const apart = twice.map((extension, i) => ({ ...extension, extensionType: 0xf00d + i }));
  /** What a client that checks nothing would write. */
  const encodeTwice = (type: Codec<unknown>, value: object): Bytes =>
    fromHex(toHex(encode(type, { ...value, extensions: apart })).replace("f00d00f00e", "f00d00f00d"));
  const repeated = expect.objectContaining({ code: "ERR_MLS_DECODE", requirement: "R-13.4-3" }) as unknown;

  test.each<[string, Codec<unknown>, object]>([
    ["KeyPackage", keyPackage as Codec<unknown>, { ...newcomer, extensions: twice }],
    ["LeafNode", leafNode as Codec<unknown>, { ...leaf, extensions: twice }],
    ["GroupInfo", groupInfo as Codec<unknown>, { ...info, extensions: twice }],
    ["GroupContext", groupContext as Codec<unknown>, { ...alice.state.context, extensions: twice }],
    ["GroupContextExtensions", proposal as Codec<unknown>, { proposalType: 7, extensions: twice }],
    [
      "ReInit",
      proposal as Codec<unknown>,
      { proposalType: 5, groupId: nonce, version: 1, cipherSuite: 1, extensions: twice },
    ],
  ])("of a %s with one type twice: neither read nor written", (_, type, value) => {
    expect(() => decode(type, encodeTwice(type, value))).toThrow(repeated);
    expect(() => encode(type, value)).toThrow(repeated);
  });

  test("keep unknown types and their order, byte for byte (R-2.1-3)", () => {
    const list = [0xeaea, 0x0001, 0xffff, 0x0000].map((extensionType, i) => ({
      extensionType,
      extensionData: new Uint8Array(i).fill(i),
    }));
    expect(decode(extensions, encode(extensions, list))).toEqual(list);
  });
});

test("the reserved proposal type is refused, unknown ones are read byte for byte (R-13.5-3, R-2.1-3)", () => {
  expect(() => decode(proposal, Uint8Array.of(0, 0, 0))).toThrow(
    expect.objectContaining({ code: "ERR_MLS_PROPOSAL", requirement: "R-13.5-3" }),
  );
  for (const customType of [11, 0x0a0a, 0xf000, 0xffff]) {
    const bytes = Uint8Array.of(customType >> 8, customType & 0xff, 2, 7, 9);
    const read = decode(proposal, bytes);
    expect(read).toEqual({ proposalType: "custom", customType, data: Uint8Array.of(7, 9) });
    expect(encode(proposal, read)).toEqual(bytes);
  }
});

test.each([
  ["an AppDataUpdate", [0, 8, 0x80, 1, 1, 2, 7, 9]],
  ["a removing AppDataUpdate", [0, 8, 0x80, 1, 2]],
  ["an AppEphemeral", [0, 9, 0x80, 1, 2, 7, 9]],
  ["a SelfRemove", [0, 10]],
])("the body of %s stands bare (X-7.2-1)", (_, list) => {
  const bytes = Uint8Array.from(list);
  const read = decode(proposal, bytes);
  expect(read).toEqual({ proposalType: "custom", customType: list[1], data: bytes.slice(2) });
  expect(encode(proposal, read)).toEqual(bytes);
  for (let length = 0; length < bytes.length; length++) {
    expect(() => decode(proposal, bytes.slice(0, length))).toThrow(expect.objectContaining({ code: "ERR_MLS_DECODE" }));
  }
});

test("an unknown credential type is refused as such, GREASE or not (R-13.5-3, R-5.3-1)", () => {
  for (const type of [0, 5, 0x0a0a, 0xf000]) {
    expect(() => decode(credential, Uint8Array.of(type >> 8, type & 0xff, 0))).toThrow(
      expect.objectContaining({ code: "ERR_MLS_CREDENTIAL", requirement: "R-13.5-3" }),
    );
  }
});

test("a Commit is framed with a confirmation tag, other content without (R-6.1-2)", async () => {
  const { message } = await forgeCommit(alice);
  const { publicMessage: framed } = decodeMessageOf("mls_public_message", message);
  expect(framed.auth.confirmationTag).toHaveLength(32);
  expect(() => encode(publicMessage, { ...framed, auth: { ...framed.auth, confirmationTag: undefined } })).toThrow(
    TypeError,
  );
  expect(authenticated.auth.confirmationTag).toBeUndefined();
  const bytes = encode(authenticatedContent, authenticated);
  expect(decode(authenticatedContent, bytes)).toEqual(authenticated);
});

/** As many as there is nothing to pay for with. */
const many = <T>(value: (i: number) => T, length = 20_000): T[] => Array.from({ length }, (_, i) => value(i));

describe("lists of what takes a byte or two (R-2.1.2-8, adversarial 8)", () => {
  const limit = { code: "ERR_MLS_LIMIT", requirement: "R-2.1.2-8" } as const;
  const proposes = (made: Proposal): Promise<Bytes> => forgePublic(alice, { contentType: "proposal", proposal: made });
  const empty = { kemOutput: EMPTY, ciphertext: EMPTY };
  const withPath = (path: CommitEdits["path"]): Promise<Bytes> =>
    forgeCommit(alice, { ...(path && { path }) }).then(({ message }) => message);

  test.each<[string, () => Bytes | Promise<Bytes>]>([
    [
      "certificates of a key package",
      () => {
        const forged = {
          ...newcomer.leafNode,
          credential: { credentialType: 2, certificates: many(() => EMPTY) } as const,
        };
        return encode(mlsMessage, { wireFormat: "mls_key_package", keyPackage: { ...newcomer, leafNode: forged } });
      },
    ],
    [
      "secrets of a Welcome",
      () => {
        const secrets = many(() => ({ newMember: EMPTY, encryptedGroupSecrets: empty }));
        return encode(mlsMessage, {
          wireFormat: "mls_welcome",
          welcome: { cipherSuite: 1, secrets, encryptedGroupInfo: EMPTY },
        });
      },
    ],
    [
      "extensions",
      () =>
        proposes({ proposalType: 7, extensions: many((extensionType) => ({ extensionType, extensionData: EMPTY })) }),
    ],
    ["references to proposals", () => forgeCommit(alice, { proposals: many(() => "") }).then(({ message }) => message)],
    [
      "nodes of a path",
      () => withPath((path) => ({ ...path, nodes: many(() => ({ encryptionKey: EMPTY, encryptedPathSecret: [] })) })),
    ],
    [
      "ciphertexts of a path",
      () =>
        withPath((path) => ({
          ...path,
          nodes: path.nodes.map((node) => ({ ...node, encryptedPathSecret: many(() => empty) })),
        })),
    ],
  ])("%s are refused, received and sent", async (_, forged) => {
    const bytes = await forged();
    const sent = decode(mlsMessage, bytes);
    expect(() => encodeMessage(sent)).toThrow(expect.objectContaining(limit));
    expect(() => decodeMessage(bytes)).toThrow(expect.objectContaining(limit));
    await expectRefusal(alice, limit, () => alice.receive(bytes));
  });

  test("as large as groups are, they are read", () => {
    const key = new Uint8Array(32).fill(9);
    const sealed = { kemOutput: key, ciphertext: new Uint8Array(48) };
    const small: WireNode = {
      nodeType: "leaf",
      leafNode: { ...leaf, credential: { credentialType: 1, identity: utf8("a") } },
    };
    const above: WireNode = {
      nodeType: "parent",
      parentNode: { encryptionKey: key, parentHash: EMPTY, unmergedLeaves: [] },
    };
    const tree = encode(
      ratchetTree,
      many((i) => (i % 2 === 0 ? small : above), 20_001),
    );
    expect(decodeReceived(ratchetTree, tree)).toHaveLength(20_001);

    const secrets = many(() => ({ newMember: key, encryptedGroupSecrets: sealed }), 10_000);
    const welcome = { cipherSuite: 1, secrets, encryptedGroupInfo: key };
    decodeMessage(encodeMessage({ wireFormat: "mls_welcome", welcome }));

    const nodes = [{ encryptionKey: key, encryptedPathSecret: many(() => sealed, 10_000) }];
    const proposals = many(() => ({ type: "reference", reference: key }) as const, 10_000);
    const path = { leafNode: leaf, nodes };
    const bytes = encode(commit, { proposals, path });
    // Who raises the limit of proposals for a Commit gets as many.
    expect(decodeReceived(commit, bytes, bytes.length, 10_000).proposals).toHaveLength(10_000);
  });
});
