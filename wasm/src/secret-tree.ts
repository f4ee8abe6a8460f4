/** Ratchets of the secret tree (RFC 9420 §9.1) over the WASM kernel. */
import { checkBytes, checkRange } from "./check.ts";
import { type HashContext, abandon } from "./hash-context.ts";
import type { Bytes, RatchetKeys, RatchetRun } from "./kernel.ts";

/** Generations are 32-bit integers. */
const GENERATIONS = 2 ** 32;
/** No AEAD has longer keys or nonces; with it, the output of a generation always fits the kernel's memory. */
const LONGEST = 32;

/** Runs a ratchet forward, in as few calls of the kernel as its memory allows. */
export function ratchet(context: HashContext, run: RatchetRun): RatchetKeys {
  const { secret, generation, count, Nk, Nn } = run;
  const { arena, Nh } = context;
  checkBytes(secret, "ratchet secret", Nh);
  checkRange(Nk, 1, LONGEST, "Nk");
  checkRange(Nn, 1, LONGEST, "Nn");
  checkRange(generation, 0, GENERATIONS - 1, "generation");
  checkRange(count, 0, GENERATIONS - generation, "count");
  const keys: RatchetKeys["keys"] = [];
  const most = Math.floor((arena.outputCapacity - Nh) / (Nk + Nn));
  let next = runOnce(context, { ...run, count: Math.min(most, count) }, keys);
  for (let done = most; done < count; done += most) {
    const previous = next;
    const part = { ...run, secret: previous, generation: generation + done, count: Math.min(most, count - done) };
    next = runOnce(context, part, keys);
    previous.fill(0);
  }
  return { keys, secret: next };
}

/** One call of the kernel. Appends to `keys` and returns the next secret. */
function runOnce(context: HashContext, run: RatchetRun, keys: RatchetKeys["keys"]): Bytes {
  const { exports, arena, id, Nh } = context;
  const { secret, generation, count, Nk, Nn } = run;
  const output = count * (Nk + Nn) + Nh;
  try {
    arena.write(secret);
    exports.ratchet(id, generation, count, Nk, Nn);
    for (let at = -output; at < -Nh; at += Nk + Nn) {
      keys.push({ key: arena.read(at, Nk), nonce: arena.read(at + Nk, Nn) });
    }
    const next = arena.read(-Nh, Nh);
    arena.clear(output);
    return next;
  } catch (error) {
    throw abandon(context, error);
  }
}
