/** Capabilities (RFC 9420 §7.2, §11.1): lists that others chose cost as much as they are long. */
import { describe, expect, test } from "vitest";
import { EMPTY } from "../../src/codec/bytes.ts";
import { CredentialType } from "../../src/identity/credential.ts";
import type { Extension, RequiredCapabilities } from "../../src/extensions/extension.ts";
import {
  ExtensionType,
  findRequiredCapabilities,
  makeExtension,
  requiredCapabilities,
} from "../../src/extensions/extension.ts";
import { missingCapability, missingExtension } from "../../src/extensions/capabilities.ts";
import { validateLeafNode } from "../../src/tree/leaf-node-validation.ts";
import { forgeKeyPackage } from "../support/forge-join.ts";
import { Member } from "../support/group.ts";

const LENGTH = 2000;
const types = Array.from({ length: LENGTH }, (_, i) => 0x1000 + i);
const extensions = types.map((extensionType): Extension => ({ extensionType, extensionData: EMPTY }));

/** A list that counts how often one of its elements is read. */
function counted(list: readonly number[]): { readonly list: readonly number[]; readonly reads: () => number } {
  let reads = 0;
  const get = (target: readonly number[], key: string | symbol): unknown => {
    if (typeof key === "string" && /^\d+$/u.test(key)) reads++;
    return Reflect.get(target, key, target) as unknown;
  };
  return { list: new Proxy(list, { get }), reads: () => reads };
}

const none: RequiredCapabilities = { extensionTypes: [], proposalTypes: [], credentialTypes: [] };

describe("what is missing is found in one walk over each list (R-7.3-4, R-7.3-9, adversarial 8)", () => {
  test.each([
    ["extension", { ...none, extensionTypes: [...types, 1, 5, 7] }, "extension 7"],
    ["proposal", { ...none, proposalTypes: [...types, 1, 7, 8] }, "proposal 8"],
    ["credential", { ...none, credentialTypes: [...types, 1] }, "credential 1"],
  ])("of required types: %s", (_, required, missing) => {
    const { list, reads } = counted(types);
    const supported = { extensions: list, proposals: list, credentials: list };
    expect(missingCapability(supported, required)).toBe(missing);
    expect(missingCapability(supported, none)).toBeUndefined();
    expect(reads()).toBeLessThanOrEqual(LENGTH);
  });

  test("of extensions in use", () => {
    const { list, reads } = counted(types);
    expect(missingExtension(extensions, list)).toBeUndefined();
    expect(missingExtension([...extensions, { extensionType: 0, extensionData: EMPTY }], list)).toBe(0);
    expect(reads()).toBeLessThanOrEqual(2 * LENGTH);
  });

  test("required types are read once for all leaves, and each is kept once", () => {
    const said = { ...none, proposalTypes: [9, 8, 9, 9, 8] };
    const list = [makeExtension(ExtensionType.requiredCapabilities, requiredCapabilities, said)];
    const found = findRequiredCapabilities(list);
    expect(found).toEqual({ ...none, proposalTypes: [9, 8] });
    expect(findRequiredCapabilities([...list, ...extensions])).toBe(found);
  });

  test("of a leaf that lists thousands, in a group that requires them, one of them many times", async () => {
    const member = await Member.create("many");
    const { suite, rules } = member;
    const { keyPackage } = await forgeKeyPackage(member, {
      leaf: (leaf) => ({ ...leaf, extensions, capabilities: { ...leaf.capabilities, extensions: types } }),
    });
    const { leafNode } = keyPackage;
    const { list, reads } = counted(types);
    const leaf = { ...leafNode, capabilities: { ...leafNode.capabilities, extensions: list } };
    const repeated = types.flatMap((type) => [type, 0x1000, CredentialType.basic]);
    const required = makeExtension(ExtensionType.requiredCapabilities, requiredCapabilities, {
      ...none,
      extensionTypes: repeated,
    });
    const check = { leaf, source: undefined, place: undefined, moment: "add" } as const;
    await validateLeafNode(suite, rules, { ...check, context: { extensions: [required, ...extensions] } });
    expect(reads()).toBeLessThan(10 * LENGTH);
  });
});
