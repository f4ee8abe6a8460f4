/** The public-key operations of suite 1 as Coppice's engine does them, one by one and many at a time. */
import { SUITE } from "../libraries/coppice.ts";
import { publicKeyOperations, type PublicKeyOperations } from "../src/public-key.ts";
import type { Operation, Scenario, Work } from "../src/scenario.ts";
import { bytes } from "./inputs.ts";

type Start = () => Promise<unknown>;

const atOnce =
  (count: number, start: Start): Operation =>
  () =>
    count === 1 ? start() : Promise.all(Array.from({ length: count }, start));

/** `n` operations, all begun before the first one ends; the limit is that they run one after the other. */
const operations = (
  name: string,
  bare: keyof PublicKeyOperations,
  work: (count: number) => Work,
  prepare: () => Promise<Start>,
): Scenario => ({
  name: `public key: ${name}`,
  sizes: [1, 32],
  sizeUnit: "operations",
  setup: async (count) => {
    const platform = await publicKeyOperations();
    return {
      coppice: atOnce(count, await prepare()),
      peers: { SubtleCrypto: atOnce(count, platform[bare]) },
      work: work(count),
    };
  },
});

const { signature, hpke } = SUITE;
const DATA = bytes(200);

export const publicKeyScenarios: readonly Scenario[] = [
  operations(
    "sign",
    "sign",
    (sign) => ({ sign }),
    async () => {
      const signer = await signature.importSigner((await signature.generateKeyPair()).privateKey);
      return () => signer.sign(DATA);
    },
  ),
  operations(
    "verify",
    "verify",
    (verify) => ({ verify }),
    async () => {
      const { publicKey, privateKey } = await signature.generateKeyPair();
      const signed = await (await signature.importSigner(privateKey)).sign(DATA);
      return () => signature.verify(publicKey, DATA, signed);
    },
  ),
  operations(
    "generate",
    "generate",
    (generate) => ({ generate }),
    () => Promise.resolve(() => hpke.generateKeyPair()),
  ),
];
