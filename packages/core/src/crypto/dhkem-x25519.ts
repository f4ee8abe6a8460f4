/** DHKEM(X25519, HKDF-SHA256) of HPKE (RFC 9180 §4.1): key agreement on SubtleCrypto, derivation on the kernel. */
import { randomBytes } from "@coppice/kit";
import type { HashKernel, Kernel } from "@coppice/wasm";
import { type Bytes, concat, EMPTY, erase, fromHex, utf8 } from "../codec/bytes.ts";
import { fromBase64url } from "./base64url.ts";
import { mayUseCurveKernel } from "./curve-options.ts";
import type { HpkeKeyPair, Kem } from "./hpke.ts";
import { labeledKdf, uint16Bytes } from "./hpke-labels.ts";
import type { X25519 } from "./x25519.ts";
import { nodeCrypto, subtle, unshared, works } from "./platform.ts";

const KEM_ID = 0x0020;
const ALGORITHM = "X25519";
/** PKCS #8 (RFC 8410) around a 32-byte private key. */
const PKCS8_PREFIX = fromHex("302e020100300506032b656e04220420");

async function deriveBits(privateKey: CryptoKey, peer: CryptoKey): Promise<Bytes> {
  return new Uint8Array(await subtle().deriveBits({ name: ALGORITHM, public: peer }, privateKey, 256));
}

const importPeer = (peer: Bytes): Promise<CryptoKey> => subtle().importKey("raw", unshared(peer), ALGORITHM, false, []);

async function importPrivate(privateKey: Bytes, extractable: boolean): Promise<CryptoKey> {
  const pkcs8 = concat(PKCS8_PREFIX, privateKey);
  try {
    return await subtle().importKey("pkcs8", pkcs8, ALGORITHM, extractable, ["deriveBits"]);
  } finally {
    erase(pkcs8);
  }
}

/** Any 32 bytes are a private key (RFC 7748 §5). Not `generateKey`: Firefox takes milliseconds for it. */
async function generate(): Promise<HpkeKeyPair & { readonly key: CryptoKey }> {
  const privateKey = randomBytes(32);
  const key = await importPrivate(privateKey, true);
  return { privateKey, publicKey: await publicKeyOf(key), key };
}

async function publicKeyOf(key: CryptoKey): Promise<Bytes> {
  const { x } = await subtle().exportKey("jwk", key);
  return fromBase64url(x);
}

const onSubtle: X25519 = {
  generate: async () => {
    const { privateKey, publicKey } = await generate();
    return { privateKey, publicKey };
  },
  publicKeyOf: async (privateKey) => publicKeyOf(await importPrivate(privateKey, true)),
  agree: async ({ privateKey }, peer) => {
    const [key, peerKey] = await Promise.all([importPrivate(privateKey, false), importPeer(peer)]);
    return deriveBits(key, peerKey);
  },
  agreeOnce: async (peer) => {
    const [{ privateKey, publicKey, key }, peerKey] = await Promise.all([generate(), importPeer(peer)]);
    erase(privateKey);
    return { publicKey, dh: await deriveBits(key, peerKey) };
  },
};

async function onNoble(): Promise<X25519> {
  const { x25519 } = await import("@noble/curves/ed25519.js");
  const generate = (): HpkeKeyPair => {
    const privateKey = new Uint8Array(x25519.utils.randomSecretKey());
    return { privateKey, publicKey: new Uint8Array(x25519.getPublicKey(privateKey)) };
  };
  const agree = async ({ privateKey }: HpkeKeyPair, peer: Bytes): Promise<Bytes> => {
    await Promise.resolve();
    return new Uint8Array(x25519.getSharedSecret(privateKey, peer));
  };
  return {
    generate: () => Promise.resolve(generate()),
    publicKeyOf: (privateKey) => Promise.resolve(new Uint8Array(x25519.getPublicKey(privateKey))),
    agree,
    agreeOnce: async (peer) => {
      const ephemeral = generate();
      const dh = await agree(ephemeral, peer);
      erase(ephemeral.privateKey);
      return { publicKey: ephemeral.publicKey, dh };
    },
  };
}

/** Whether every key works, private keys with a zero first byte included. */
function usable(x25519: X25519): Promise<boolean> {
  return works(async () => {
    const privateKey = Uint8Array.from({ length: 32 }, (_, i) => i);
    const publicKey = await x25519.publicKeyOf(privateKey);
    await x25519.agree({ publicKey, privateKey }, publicKey);
    await x25519.agreeOnce((await x25519.generate()).publicKey);
  });
}

/**
 * On Node's own functions, or SubtleCrypto where every key works, else on the curve kernel or noble. `kind` "noble" is without
 * WebAssembly.
 */
export async function x25519(kind?: Kernel["kind"]): Promise<X25519> {
  const node = nodeCrypto();
  if (node !== undefined) {
    const { x25519OnNode } = await import("./node-25519.ts");
    const onNode = x25519OnNode(node);
    if (await usable(onNode)) return onNode;
  }
  if (await usable(onSubtle)) return onSubtle;
  if (mayUseCurveKernel(kind)) {
    try {
      const { loadCurveKernel, x25519OnKernel } = await import("./curve-kernel.ts");
      return x25519OnKernel(await loadCurveKernel());
    } catch {
      // No WebAssembly.
    }
  }
  return onNoble();
}

/** `hash` is SHA-256, the KEM's own, whatever the suite's is. */
export async function dhkemX25519(hash: HashKernel, kind?: Kernel["kind"]): Promise<Kem> {
  const group = await x25519(kind);
  const kdf = labeledKdf(hash, concat(utf8("KEM"), uint16Bytes(KEM_ID)));

  const sharedSecret = (dh: Bytes, kemOutput: Bytes, recipient: Bytes): Bytes => {
    const prk = kdf.extract(EMPTY, "eae_prk", dh);
    const secret = kdf.expand(prk, "shared_secret", concat(kemOutput, recipient), 32);
    erase(dh, prk);
    return secret;
  };

  return {
    id: KEM_ID,
    Npk: 32,
    Nsk: 32,
    generateKeyPair: () => group.generate(),
    deriveKeyPair: async (secret) => {
      const prk = kdf.extract(EMPTY, "dkp_prk", secret);
      const privateKey = kdf.expand(prk, "sk", EMPTY, 32);
      erase(prk);
      return { privateKey, publicKey: await group.publicKeyOf(privateKey) };
    },
    validatePublicKey: (publicKey) =>
      publicKey.length === 32 ? Promise.resolve() : Promise.reject(new TypeError("An X25519 public key has 32 bytes")),
    encap: async (recipient) => {
      const { publicKey: kemOutput, dh } = await group.agreeOnce(recipient);
      return { kemOutput, sharedSecret: sharedSecret(dh, kemOutput, recipient) };
    },
    decap: async (keys, kemOutput) => sharedSecret(await group.agree(keys, kemOutput), kemOutput, keys.publicKey),
  };
}
