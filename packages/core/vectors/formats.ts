/** All formats: those of RFC 9420 and those of drafts. */
import type { Format } from "./case.ts";
import { Case } from "./case.ts";
import { cryptoBasics } from "./formats/crypto-basics.ts";
import { deserialization } from "./formats/deserialization.ts";
import { keySchedule } from "./formats/key-schedule.ts";
import { messageProtection } from "./formats/message-protection.ts";
import { messages } from "./formats/messages.ts";
import { partialFormats } from "./formats/partial.ts";
import { passiveClients } from "./formats/passive-client.ts";
import { pskSecret } from "./formats/psk-secret.ts";
import { secretTree } from "./formats/secret-tree.ts";
import { transcriptHashes } from "./formats/transcript-hashes.ts";
import { treeMath } from "./formats/tree-math.ts";
import { treeOperations } from "./formats/tree-operations.ts";
import { treeValidation } from "./formats/tree-validation.ts";
import { treekem } from "./formats/treekem.ts";
import { welcome } from "./formats/welcome.ts";

export const FORMATS: readonly Format[] = [
  treeMath,
  deserialization,
  cryptoBasics,
  keySchedule,
  pskSecret,
  transcriptHashes,
  secretTree,
  messageProtection,
  treeOperations,
  treeValidation,
  treekem,
  welcome,
  messages,
  ...passiveClients,
  ...partialFormats,
];

/** By file name, else by the fields of the first case. */
export function recogniseFormat(fileName: string, cases: readonly unknown[]): Format | undefined {
  const named = FORMATS.find(({ name }) => fileName === `${name}.json`);
  if (named !== undefined) return named;
  const [first] = cases;
  if (typeof first !== "object" || first === null) return undefined;
  const vector = new Case(first);
  return FORMATS.find(({ fields }) => fields.every((field) => vector.has(field)));
}
