/** Users who exist on the server and never come online: a group of 10,000 needs them. */
import {
  basicCredential,
  createKeyPackage,
  defaultCapabilities,
  encodeMessage,
  getCipherSuite,
  randomBytes,
  toHex,
} from "@coppice/core";
import { connectDelivery } from "@coppice/delivery";
import { encodeIdentity, signDeviceLogEntry } from "@coppice/delivery/contract";

const SUITE = 1;
/** The client's extension for titles, private use. */
const TITLE_EXTENSION = 0xf0c1;
/** Users that sign in at the same time. */
const AT_ONCE = 16;

async function register(url: string, user: string): Promise<void> {
  const suite = await getCipherSuite(SUITE);
  const { privateKey, publicKey } = await suite.signature.generateKeyPair();
  const signer = await suite.signature.importSigner(privateKey);
  const device = toHex(randomBytes(16));
  const { entry } = await signDeviceLogEntry({
    user,
    log: undefined,
    change: { action: "create", device, key: { suite: SUITE, publicKey }, nonce: randomBytes(32) },
    signedBy: device,
    signer,
  });
  const client = { user, device };
  const sign = (challenge: Uint8Array): Promise<Uint8Array> => signer.sign(new Uint8Array(challenge));
  const delivery = await connectDelivery({ url, identity: { client, suite: SUITE, publicKey, sign, register: entry } });
  const now = BigInt(Math.floor(Date.now() / 1000));
  const { keyPackage } = await createKeyPackage({
    suite,
    credential: basicCredential(encodeIdentity({ client, position: 0 })),
    signer,
    lifetime: { notBefore: now - 3600n, notAfter: now + 30n * 86_400n },
    capabilities: defaultCapabilities([SUITE], { extensions: [TITLE_EXTENSION], credentials: [1] }),
  });
  const lastResort = encodeMessage({ wireFormat: "mls_key_package", keyPackage });
  await delivery.publishKeyPackages({ keyPackages: [], lastResort });
  await delivery.close();
}

/** Registers `count` users and returns their names. Each has one key package that is handed out again and again. */
export async function registerCrowd(url: string, count: number, prefix: string): Promise<readonly string[]> {
  const names = Array.from({ length: count }, (_, index) => `${prefix}${String(index)}`);
  const pending = names.values();
  const work = async (): Promise<void> => {
    for (const name of pending) await register(url, name);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return names;
}
