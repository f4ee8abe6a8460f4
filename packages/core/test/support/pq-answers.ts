/**
 * Published answers of the KEMs of draft-ietf-hpke-pq, for unit tests and for engines. Public keys and KEM outputs, which are long, are made anew from the published randomness:
 * what is compared depends on all of their bytes.
 */
import { ml_kem768, ml_kem1024 } from "@noble/post-quantum/ml-kem.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { p256, p384 } from "@noble/curves/nist.js";
import { shake256 } from "@noble/hashes/sha3.js";
import { type Bytes, concat, EMPTY, fromHex, toHex, utf8 } from "../../src/codec/bytes.ts";
import type { Kem } from "../../src/crypto/hpke.ts";
import { labeledKdf, uint16Bytes } from "../../src/crypto/hpke-labels.ts";
import { kemHybrid } from "../../src/crypto/kem-hybrid.ts";
import { loadFullKernel } from "../../src/crypto/kernel.ts";
import { kemMlKem } from "../../src/crypto/kem-ml-kem.ts";

const GROUPS = {
  x25519: (scalar: Bytes, peer: Bytes) => ({
    element: x25519.getPublicKey(scalar),
    shared: x25519.getSharedSecret(scalar, peer),
  }),
  p256: (scalar: Bytes, peer: Bytes) => ({
    element: p256.getPublicKey(scalar, false),
    shared: p256.getSharedSecret(scalar, peer).slice(1),
  }),
  p384: (scalar: Bytes, peer: Bytes) => ({
    element: p384.getPublicKey(scalar, false),
    shared: p384.getSharedSecret(scalar, peer).slice(1),
  }),
};

interface Answer {
  readonly section: string;
  readonly kem: () => Promise<Kem>;
  readonly lattice: typeof ml_kem768;
  readonly group?: { readonly of: keyof typeof GROUPS; readonly scalar: number };
  readonly kdfId: 1 | 2;
  readonly aeadId: number;
  /** Randomness of the sender: of the lattice half, then the scalar. */
  readonly ikmE: string;
  readonly ikmR: string;
  readonly skRm?: string;
  readonly exporterContext: string;
  readonly exported: string;
}

/** Of all answers. */
const INFO = fromHex("34663634363532303666366532303631323034373732363536333639363136653230353537323665");

/** draft-ietf-hpke-pq-04, appendix A; those with HKDF, which the suites of MLS have. */
const ANSWERS: readonly Answer[] = [
  {
    section: "A.2, ML-KEM-768",
    kem: () => kemMlKem("ML-KEM-768"),
    lattice: ml_kem768,
    kdfId: 1,
    aeadId: 1,
    ikmE: "4b3d28ac17e3aadfe767671928e6c0d26c346d4c7dfcf1db0994d131fd76aaba",
    ikmR:
      "353e522ee88da0097916c435377e3ffee4cd8288b910a79882f4ac87787cebe6" +
      "ef7d126a2ef91b2c37f741af42851a08d24a756b225d86d534902829896e726b",
    exporterContext: "pseudorandom0",
    exported: "f05383cf57bc5c9d639f1eda2355ea5764f46b1a2c98fca15b99f61d7b5a6549",
  },
  {
    section: "A.3, ML-KEM-1024",
    kem: () => kemMlKem("ML-KEM-1024"),
    lattice: ml_kem1024,
    kdfId: 2,
    aeadId: 2,
    ikmE: "0152bf3799ed0803b9ac3e62695c51065fe2cd4a18ff655fb3efe7399c404e19",
    ikmR:
      "ece1c121b5cc978bdce5eb8d60e9ff101d65b94379898e800c37f79164a25d03" +
      "264a357df7cd28214b11e171c94dea2338b736e7dbb6f00a0b1b280ae6ad1ba4",
    exporterContext: "pseudorandom1",
    exported: "d0f3ad6f13a67b3ddfe63c205d33d9061b65fb99d91441cc1454631d7b6a9914",
  },
  {
    section: "A.4, MLKEM768-P256",
    kem: () => kemHybrid("MLKEM768-P256"),
    lattice: ml_kem768,
    group: { of: "p256", scalar: 32 },
    kdfId: 1,
    aeadId: 1,
    ikmE:
      "0ec0fee6a71457a9dac898a1c161bf1068e68de093f07754155bb8b8b378c17e" +
      "d09ead96300cc402a6371b58928592dd93565834a19839e7dda048d8e04ff65c",
    ikmR: "5e28a96731c6665f07bb00811cd70f0d3d6c44666ca54cddbb7e5946053b6415",
    skRm: "724eed44c3843d1f260f79b142ce633d602f7989a53ffc9fd4a68690c8e7baa5",
    exporterContext: "pseudorandom0",
    exported: "b802e65aba5b55410741d61e2953e67596bdcb7c1914097f13d8ed98e87e54d6",
  },
  {
    section: "A.5, MLKEM768-X25519",
    kem: () => kemHybrid("MLKEM768-X25519"),
    lattice: ml_kem768,
    group: { of: "x25519", scalar: 32 },
    kdfId: 1,
    aeadId: 3,
    ikmE:
      "2a1c0a3745fe8a48fb62034d300f54dfe1974a5b2e169e580a8789cb1cf5fd19" +
      "0fc00f3fd899594e01a8b15334b9f3fa03d8de44da86e19f5776850fb689e6c8",
    ikmR: "b86e76a59fabfc87b30cd7b1f7aaa28a834eb64e7a261c197b9a842893fbce56",
    skRm: "3ec47fa82dd5689d27c6190e724c74ec8f608df3331ce331929e37b829676630",
    exporterContext: "pseudorandom0",
    exported: "5a78d37f40e078c17ef43fa40963f1ff7dcdee56e366da9099dc181c3eccaee5",
  },
  {
    section: "A.6, MLKEM1024-P384",
    kem: () => kemHybrid("MLKEM1024-P384"),
    lattice: ml_kem1024,
    group: { of: "p384", scalar: 48 },
    kdfId: 2,
    aeadId: 2,
    ikmE:
      "bd1207854ec0963347d5218f900783d6ca0ff62c5e2181ca5a932e2d6d8d96cc" +
      "9b092a9d709468d10f7e8ec8d9eccd7e7a647d351133e2a2f4b438154d1dd708" +
      "50af7f7841c1dbd0699feb9852d99c08",
    ikmR: "0fce198c0c1ccfca5cd1ca8bc495b06696cbb8c733e708ead4531b2b294c38d2",
    skRm: "dbdae0423ba0e5db3d6322601b8dc302d3051d4677142079c7bdf441f4c448dd",
    exporterContext: "pseudorandom0",
    exported: "bc1c15452944a0d0db9195d24334d6862d68a3d7b18d35c756978cd649a6ac31",
  },
];

/** What the sender of an answer makes with its randomness. */
function kemOutputOf({ lattice, group }: Pick<Answer, "lattice" | "group">, recipient: Bytes, random: Bytes): Bytes {
  const Nek = lattice.lengths.publicKey ?? 0;
  const { cipherText } = lattice.encapsulate(recipient.slice(0, Nek), random.slice(0, 32));
  if (group === undefined) return new Uint8Array(cipherText);
  const scalar = random.slice(32, 32 + group.scalar);
  return concat(cipherText, GROUPS[group.of](scalar, recipient.slice(Nek)).element);
}

/** What is got for an answer: the exported secret, and whether the derived private key is the published one. */
async function exportedFor(answer: Answer): Promise<string> {
  const kem = await answer.kem();
  const keys = await kem.deriveKeyPair(fromHex(answer.ikmR));
  if (answer.skRm !== undefined && toHex(keys.privateKey) !== answer.skRm) return "another private key is derived";
  const sharedSecret = await kem.decap(keys, kemOutputOf(answer, keys.publicKey, fromHex(answer.ikmE)));

  const kernel = await loadFullKernel();
  const hash = answer.kdfId === 1 ? kernel.sha256 : kernel.sha384;
  const suiteId = concat(utf8("HPKE"), ...[kem.id, answer.kdfId, answer.aeadId].map(uint16Bytes));
  const kdf = labeledKdf(hash, suiteId);
  const context = concat(
    Uint8Array.of(0),
    kdf.extract(EMPTY, "psk_id_hash", EMPTY),
    kdf.extract(EMPTY, "info_hash", INFO),
  );
  const exporterSecret = kdf.expand(kdf.extract(sharedSecret, "secret", EMPTY), "exp", context, hash.Nh);
  return toHex(kdf.expand(exporterSecret, "sec", utf8(answer.exporterContext), 32));
}

/** draft-connolly-cfrg-xwing-kem-06 and later, appendix C: key, randomness of the sender, shared secret. */
const XWING = [
  [
    "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26",
    "3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2" +
      "35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2",
    "d2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384",
  ],
  [
    "badfd6dfaac359a5efbb7bcc4b59d538df9a04302e10c8bc1cbf1a0b3a5120ea",
    "17cda7cfad765f5623474d368ccca8af0007cd9f5e4c849f167a580b14aabdef" +
      "aee7eef47cb0fca9767be1fda69419dfb927e9df07348b196691abaeb580b32d",
    "f2e86241c64d60f6649fbc6c5b7d17180b780a3f34355e64a85749949c45f150",
  ],
  [
    "ef58538b8d23f87732ea63b02b4fa0f4873360e2841928cd60dd4cee8cc0d4c9",
    "22a96188d032675c8ac850933c7aff1533b94c834adbb69c6115bad4692d8619" +
      "f90b0cdf8a7b9c264029ac185b70b83f2801f2f4b3f70c593ea3aeeb613a7f1b",
    "953f7f4e8c5b5049bdc771d1dffada0dd961477d1a2ae0988baa7ea6898d893f",
  ],
] as const;

async function xwingSecret(seed: string, randomness: string): Promise<string> {
  const kem = await kemHybrid("MLKEM768-X25519");
  const privateKey = fromHex(seed);
  const expanded = shake256(privateKey, { dkLen: 96 });
  const publicKey = concat(ml_kem768.keygen(expanded.slice(0, 64)).publicKey, x25519.getPublicKey(expanded.slice(64)));
  const sender = { lattice: ml_kem768, group: { of: "x25519", scalar: 32 } } as const;
  return toHex(await kem.decap({ privateKey, publicKey }, kemOutputOf(sender, publicKey, fromHex(randomness))));
}

export interface KnownAnswer {
  readonly title: string;
  readonly published: string;
  /** What the platform gives. */
  readonly got: () => Promise<string>;
}

export const PQ_ANSWERS: readonly KnownAnswer[] = [
  ...ANSWERS.map((answer) => ({
    title: `draft-ietf-hpke-pq ${answer.section}`,
    published: answer.exported,
    got: () => exportedFor(answer),
  })),
  ...XWING.map(([seed, randomness, published]) => ({
    title: `X-Wing, seed ${seed}`,
    published,
    got: () => xwingSecret(seed, randomness),
  })),
];
