/** A user of the Delivery Service without an engine, who does what an engine would not. */
import {
  basicCredential,
  defaultCapabilities,
  getCipherSuite,
  makeRules,
  randomBytes,
  toHex,
  type Capabilities,
  type CipherSuite,
  type Credential,
  type Lifetime,
  type Rules,
  type Signer,
} from "@coppice/core";
import {
  encodeIdentity,
  signDeviceLogEntry,
  type DeviceLogEntry,
  type Identity,
  type MemoryDeliveryService,
} from "@coppice/delivery";
import type { World } from "./world.ts";

export const CAPABILITIES: Capabilities = defaultCapabilities([1], { extensions: [0xf0c1], credentials: [1] });

export interface Outsider {
  readonly user: string;
  readonly device: string;
  readonly suite: CipherSuite;
  readonly signer: Signer;
  readonly credential: Credential;
  /** The first entry of the user's device log. */
  readonly entry: DeviceLogEntry;
  readonly delivery: MemoryDeliveryService;
}

export async function keysOf(): Promise<{ readonly suite: CipherSuite; readonly signer: Signer }> {
  const suite = await getCipherSuite(1);
  const { privateKey } = await suite.signature.generateKeyPair();
  return { suite, signer: await suite.signature.importSigner(privateKey) };
}

/** Registers a user. */
export async function outsider(world: World, user: string): Promise<Outsider> {
  const { suite, signer } = await keysOf();
  const device = toHex(randomBytes(16));
  const { entry } = await signDeviceLogEntry({
    ...{ user, log: undefined, signedBy: device, signer },
    change: {
      action: "create",
      device,
      key: { suite: 1, publicKey: new Uint8Array(signer.publicKey) },
      nonce: randomBytes(32),
    },
  });
  const identity: Identity = {
    client: { user, device },
    suite: 1,
    publicKey: signer.publicKey,
    sign: (challenge) => signer.sign(new Uint8Array(challenge)),
    register: entry,
  };
  const credential = basicCredential(encodeIdentity({ client: { user, device }, position: 0 }));
  return { user, device, suite, signer, credential, entry, delivery: await world.service.connect(identity) };
}

export function lifetime(world: World): Lifetime {
  const now = BigInt(Math.floor(world.time.now() / 1000));
  return { notBefore: now - 60n, notAfter: now + 3600n };
}

/** Rules of someone who believes everything. */
export function trusting(world: World): Rules {
  return makeRules({
    authentication: { validate: () => Promise.resolve(), sameIdentity: () => true },
    now: () => BigInt(Math.floor(world.time.now() / 1000)),
    supportedExtensions: [0xf0c1],
  });
}
