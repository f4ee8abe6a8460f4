/** Many digests, and many outputs of one secret, in one call of the kernel. */
import { batches } from "./batches.ts";
import { checkBytes, checkLength, checkText } from "./check.ts";
import { type HashContext, abandon } from "./hash-context.ts";
import type { Bytes, Expansion, HashKernel } from "./kernel.ts";

/** A length in the table of `digestMany`. */
const DIGEST_ENTRY = 4;
/** Lengths of label, context and output in the table of `expandMany`. */
const EXPAND_ENTRY = 12;

/** What does not fit the arena goes to `single`. */
export function digestMany(
  context: HashContext,
  single: Pick<HashKernel, "digest">,
  messages: readonly Uint8Array[],
): Bytes[] {
  for (const message of messages) checkBytes(message, "message");
  const { arena, Nh } = context;
  const digests: Bytes[] = [];
  const most = Math.floor(arena.outputCapacity / Nh);
  const fits = (count: number, total: number): boolean => count <= most && total <= arena.capacity;
  for (const batch of batches(messages, (message) => DIGEST_ENTRY + message.length, fits)) {
    const [first] = batch;
    if (batch.length === 1 && first !== undefined) digests.push(single.digest(first));
    else digestBatch(context, batch, digests);
  }
  return digests;
}

/** The layout is that of `assembly/digest-batch.ts`. */
function digestBatch(context: HashContext, messages: readonly Uint8Array[], digests: Bytes[]): void {
  const { exports, arena, id, Nh } = context;
  const output = messages.length * Nh;
  try {
    for (const message of messages) arena.writeUint32(message.length);
    for (const message of messages) arena.write(message);
    exports.digestMany(id, messages.length);
    for (let at = -output; at < 0; at += Nh) digests.push(arena.read(at, Nh));
    arena.clear(output);
  } catch (error) {
    throw abandon(context, error);
  }
}

/** What the arena does not hold, and labels that are not ASCII, go to `single`. */
export function expandMany(
  context: HashContext,
  single: Pick<HashKernel, "expandWithLabel">,
  { secret, expansions }: { secret: Uint8Array; expansions: readonly Expansion[] },
): Bytes[] {
  const { exports, arena, id, Nh, blockLength } = context;
  checkBytes(secret, "secret");
  let input = secret.length;
  let output = 0;
  for (const expansion of expansions) {
    checkText(expansion.label, "label");
    checkBytes(expansion.context, "context");
    checkLength(expansion.length, Nh);
    input += EXPAND_ENTRY + expansion.label.length + expansion.context.length;
    output += expansion.length;
  }
  try {
    const fits = secret.length <= blockLength && input <= arena.capacity && output <= arena.outputCapacity;
    if (fits && writeExpansions(context, secret, expansions)) {
      exports.expandMany(id, secret.length, expansions.length, output);
      let at = -output;
      const outputs = expansions.map(({ length }) => arena.read((at += length) - length, length));
      arena.clear(output);
      return outputs;
    }
  } catch (error) {
    throw abandon(context, error);
  }
  arena.erase();
  return expansions.map(({ label, context, length }) => single.expandWithLabel(secret, label, context, length));
}

/** Writes the layout of `expandMany` in `assembly/index.ts`. Returns false when a label is not ASCII. */
function writeExpansions({ arena }: HashContext, secret: Uint8Array, expansions: readonly Expansion[]): boolean {
  arena.write(secret);
  for (const { label, context, length } of expansions) {
    arena.writeUint32(label.length);
    arena.writeUint32(context.length);
    arena.writeUint32(length);
  }
  for (const { label, context } of expansions) {
    if (!arena.writeAscii(label)) return false;
    arena.write(context);
  }
  return true;
}
