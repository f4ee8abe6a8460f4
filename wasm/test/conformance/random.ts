/** Thousands of random inputs to every function, compared with noble and SubtleCrypto. */
import type { AeadMessage, WasmKernel } from "../../src/index.ts";
import { type ConformanceCase, expect, expectSame, flipped } from "./case.ts";
import {
  AEADS,
  type AeadName,
  type Answer,
  HASHES,
  type HashName,
  type Implementation,
  type Labelled,
} from "./implementations.ts";

/** mulberry32: every run has the same inputs, so that the number of an input is enough to find it again. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  below(limit: number): number {
    return this.#next() % limit;
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.#next());
  }

  /** Mostly short, as in MLS; one in sixteen longer than any internal buffer of a block. */
  some(): Uint8Array<ArrayBuffer> {
    return this.bytes(this.below(16) === 0 ? this.below(1100) : this.below(150));
  }

  message(Nk: number): AeadMessage {
    return { key: this.bytes(Nk), nonce: this.bytes(12), aad: this.bytes(this.below(70)), data: this.some() };
  }
}

/** Operations of SubtleCrypto in flight: some engines gain much from more than one. */
const IN_FLIGHT = 64;
/** Items of a batch, at most. */
const BATCH = 40;

interface Comparison<Input> {
  readonly make: (random: Random) => Input;
  readonly kernel: (input: Input) => Answer;
  readonly peer: (input: Input) => Answer | Promise<Answer>;
}

async function compare<Input>(comparisons: number, { make, kernel, peer }: Comparison<Input>): Promise<void> {
  const random = new Random(0xc0111ce);
  for (let done = 0; done < comparisons; done += IN_FLIGHT) {
    const inputs = Array.from({ length: Math.min(IN_FLIGHT, comparisons - done) }, () => make(random));
    const expected = await Promise.all(inputs.map(async (input) => peer(input)));
    for (const [i, input] of inputs.entries()) expectSame(kernel(input), expected[i], `input ${done + i}`);
  }
}

/** Compares `comparisons` results of batches of random size. */
async function compareBatches<Input>(
  comparisons: number,
  {
    make,
    kernel,
    peer,
  }: Omit<Comparison<Input>, "kernel"> & { readonly kernel: (inputs: readonly Input[]) => readonly Answer[] },
): Promise<void> {
  const random = new Random(0xba7c4);
  for (let done = 0; done < comparisons;) {
    const inputs = Array.from({ length: Math.min(random.below(BATCH), comparisons - done) }, () => make(random));
    const [actual, expected] = [kernel(inputs), await Promise.all(inputs.map(async (input) => peer(input)))];
    expect(actual.length === inputs.length, `${inputs.length} inputs gave ${actual.length} results`);
    for (const [i] of inputs.entries()) expectSame(actual[i], expected[i], `input ${done + i}`);
    done += inputs.length;
  }
}

const LABELS = ["epoch", "key", "nonce", "", "sender data", "ünïcödé", "a label that is as long as no label of MLS is"];

function labelled(random: Random): Labelled {
  const label = LABELS[random.below(LABELS.length)] ?? "";
  // At least the output of a hash, as every secret of MLS: noble refuses less.
  return { secret: random.bytes(64 + random.below(100)), label, context: random.some(), length: random.below(150) };
}

/** A sealed message, changed in one place or not at all. */
function received(random: Random, seal: (message: AeadMessage) => Uint8Array, Nk: number): AeadMessage {
  const message = random.message(Nk);
  const sealed = { ...message, data: seal(message) };
  const flip = (data: Uint8Array): Uint8Array =>
    data.length === 0 ? random.bytes(1) : flipped(data, random.below(8 * data.length));
  switch (random.below(10)) {
    case 0:
      return { ...sealed, key: flip(sealed.key) };
    case 1:
      return { ...sealed, nonce: flip(sealed.nonce) };
    case 2:
      return { ...sealed, aad: flip(sealed.aad) };
    case 3:
      return { ...sealed, data: flip(sealed.data) };
    case 4:
      return { ...sealed, data: sealed.data.subarray(0, random.below(sealed.data.length)) };
    default:
      return sealed;
  }
}

function hashCases(
  kernel: WasmKernel,
  hash: HashName,
  peer: Implementation,
  comparisons: number,
): readonly ConformanceCase[] {
  const { Nh } = kernel[hash];
  const title = (name: string): string => `${comparisons} random comparisons: ${name}, ${hash}, with ${peer.name}`;
  const none = new Uint8Array(0);
  return [
    {
      title: title("digest"),
      run: () =>
        compare(comparisons, {
          make: (random) => random.some(),
          kernel: (data) => kernel[hash].digest(data),
          peer: (data) => peer.digest(hash, data),
        }),
    },
    {
      title: title("digestMany"),
      run: () =>
        compareBatches(comparisons, {
          make: (random) => random.some(),
          kernel: (messages) => kernel[hash].digestMany(messages),
          peer: (data) => peer.digest(hash, data),
        }),
    },
    {
      title: title("hmac"),
      run: () =>
        compare(comparisons, {
          make: (random) => ({ key: random.bytes(random.below(200)), data: random.some() }),
          kernel: ({ key, data }) => kernel[hash].hmac(key, data),
          peer: ({ key, data }) => peer.hmac(hash, key, data),
        }),
    },
    {
      title: title("extract"),
      run: () =>
        compare(comparisons, {
          make: (random) => ({ salt: random.bytes(random.below(200)), ikm: random.some() }),
          kernel: ({ salt, ikm }) => kernel[hash].extract(salt, ikm),
          peer: ({ salt, ikm }) => peer.extract(hash, salt, ikm),
        }),
    },
    {
      title: title("expand"),
      run: () =>
        compare(comparisons, {
          make: (random) => ({
            prk: random.bytes(Nh + random.below(150)),
            info: random.some(),
            length: random.below(200),
          }),
          kernel: ({ prk, info, length }) => kernel[hash].expand(prk, info, length),
          peer: ({ prk, info, length }) => peer.expand(hash, prk, info, length),
        }),
    },
    {
      title: title("HKDF"),
      run: () =>
        compare(comparisons, {
          make: (random) => ({
            ikm: random.bytes(1 + random.below(99)),
            salt: random.bytes(random.below(150)),
            info: random.bytes(random.below(150)),
            length: 1 + random.below(3 * Nh),
          }),
          kernel: ({ ikm, salt, info, length }) => kernel[hash].expand(kernel[hash].extract(salt, ikm), info, length),
          peer: (derivation) => peer.hkdf(hash, derivation),
        }),
    },
    {
      title: title("expandWithLabel"),
      run: () =>
        compare(comparisons, {
          make: labelled,
          kernel: ({ secret, label, context, length }) => kernel[hash].expandWithLabel(secret, label, context, length),
          peer: (input) => peer.expandWithLabel(hash, input),
        }),
    },
    {
      title: title("expandMany"),
      run: () => {
        const secret = new Random(7).bytes(Nh);
        return compareBatches(comparisons, {
          make: labelled,
          kernel: (expansions) => kernel[hash].expandMany(secret, expansions),
          peer: (input) => peer.expandWithLabel(hash, { ...input, secret }),
        });
      },
    },
    {
      title: title("ratchet"),
      run: async () => {
        const random = new Random(0x7a7c4e7);
        for (let done = 0; done < comparisons;) {
          const count = Math.min(1 + random.below(BATCH), comparisons - done);
          const generation = random.below(2 ** 32 - BATCH);
          const start = random.bytes(Nh);
          const run = kernel[hash].ratchet({ secret: start, generation, count, Nk: 32, Nn: 12 });
          let secret: Uint8Array = start;
          for (const [i, { key, nonce }] of run.keys.entries()) {
            const context = new Uint8Array(4);
            new DataView(context.buffer).setUint32(0, generation + i);
            const derive = (label: string, length: number): Promise<Answer> =>
              Promise.resolve(peer.expandWithLabel(hash, { secret, label, context, length }));
            const expected = await Promise.all([derive("key", 32), derive("nonce", 12), derive("secret", Nh)]);
            expectSame(key, expected[0], `key of generation ${generation + i}`);
            expectSame(nonce, expected[1], `nonce of generation ${generation + i}`);
            secret = expected[2] ?? none;
          }
          expectSame(run.secret, secret, `secret after generation ${generation + count - 1}`);
          done += count;
        }
      },
    },
  ];
}

function aeadCases(
  kernel: WasmKernel,
  aead: AeadName,
  peer: Implementation,
  comparisons: number,
): readonly ConformanceCase[] {
  const other = peer.aead(aead);
  if (other === undefined) return [];
  const { [aead]: own } = kernel;
  const title = (name: string): string => `${comparisons} random comparisons: ${name}, ${aead}, with ${peer.name}`;
  const seal = ({ key, nonce, aad, data }: AeadMessage): Uint8Array => own.seal(key, nonce, aad, data);
  return [
    {
      title: title("seal"),
      run: () =>
        compare(comparisons, { make: (random) => random.message(own.Nk), kernel: seal, peer: (m) => other.seal(m) }),
    },
    {
      title: title("open"),
      run: () =>
        compare(comparisons, {
          make: (random) => received(random, seal, own.Nk),
          kernel: ({ key, nonce, aad, data }) => own.open(key, nonce, aad, data),
          peer: (m) => other.open(m),
        }),
    },
    {
      title: title("sealMany"),
      run: () =>
        compareBatches(comparisons, {
          make: (random) => random.message(own.Nk),
          kernel: (messages) => own.sealMany(messages),
          peer: (m) => other.seal(m),
        }),
    },
    {
      title: title("openMany"),
      run: () =>
        compareBatches(comparisons, {
          make: (random) => received(random, seal, own.Nk),
          kernel: (messages) => own.openMany(messages),
          peer: (m) => other.open(m),
        }),
    },
  ];
}

export function randomCases(
  kernel: WasmKernel,
  peers: readonly Implementation[],
  comparisons: number,
): readonly ConformanceCase[] {
  return peers.flatMap((peer) => [
    ...HASHES.flatMap((hash) => hashCases(kernel, hash, peer, comparisons)),
    ...AEADS.flatMap((aead) => aeadCases(kernel, aead, peer, comparisons)),
  ]);
}
