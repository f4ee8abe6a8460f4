/** Decoders: whatever is accepted is written back to the same bytes, everything else is a `CoppiceError` (R-2.1-5). */
import { toHex } from "../src/codec/bytes.ts";
import { decode, encode } from "../src/codec/codec.ts";
import { getCipherSuite } from "../src/crypto/cipher-suite.ts";
import {
  decodeGroupState,
  decodeOwnKeyPackage,
  encodeGroupState,
  encodeOwnKeyPackage,
} from "../src/group/serialise.ts";
import { Member } from "../test/support/group.ts";
import type { WireSample } from "../test/support/wire-samples.ts";
import { wireSamples } from "../test/support/wire-samples.ts";
import { mutate, pick } from "./random.ts";
import type { Target } from "./target.ts";
import { Finding, requireCoppiceError } from "./target.ts";

/** `drafts`: values of the types of drafts. */
export async function decoderTargets(drafts: readonly WireSample[]): Promise<Target[]> {
  const { samples: ofRfc, alice } = await wireSamples();
  const samples = [...ofRfc, ...drafts];
  const wire = samples.map(({ name, type, bytes }): Target => ({
    name: `decode ${name}`,
    run: (random) => {
      const input = mutate(bytes, random, pick(random, samples).bytes);
      let output: Uint8Array;
      try {
        output = encode(type, decode(type, input));
      } catch (error) {
        requireCoppiceError(error, { input });
        return;
      }
      if (toHex(output) !== toHex(input)) throw new Finding("written back to other bytes", { input, output });
    },
  }));

  const state = encodeGroupState(alice.state);
  const suite = await getCipherSuite(1);
  const own = encodeOwnKeyPackage(await (await Member.create("owner")).keyPackage());
  const stored: Target[] = [
    {
      name: "restore a group state",
      run: async (random) => {
        const input = mutate(state, random, pick(random, samples).bytes);
        await decodeGroupState(input).catch((error: unknown) => {
          requireCoppiceError(error, { input });
        });
      },
    },
    {
      name: "restore a key package",
      run: (random) => {
        const input = mutate(own, random, pick(random, samples).bytes);
        try {
          decodeOwnKeyPackage(suite, input);
        } catch (error) {
          requireCoppiceError(error, { input });
        }
      },
    },
  ];
  return [...wire, ...stored];
}
