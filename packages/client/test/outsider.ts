/** A user of the Delivery Service without an engine, who does what an engine would not. */
import {
  basicCredential,
  createKeyPackage,
  decodeMessageOf,
  defaultCapabilities,
  encodeMessage,
  getCipherSuite,
  joinGroup,
  makeRules,
  randomBytes,
  toHex,
  type Capabilities,
  type CipherSuite,
  type Credential,
  type GroupState,
  type Lifetime,
  type Rules,
  type Signer,
} from "@coppice/core";
import {
  encodeIdentity,
  signDeviceLogEntry,
  type DeviceLogEntry,
  type Identity,
  type LogPosition,
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

/** An outsider whom somebody has added: a member who does what an engine would not. */
export async function member(
  world: World,
  inviter: { add(user: string): Promise<void>; id: string },
  mallory: Outsider,
): Promise<{ readonly state: GroupState; readonly position: LogPosition }> {
  const { suite, signer, credential, delivery } = mallory;
  const keyPackage = await createKeyPackage({
    ...{ suite, signer, credential },
    lifetime: lifetime(world),
    capabilities: CAPABILITIES,
  });
  await delivery.publishKeyPackages({
    keyPackages: [],
    lastResort: encodeMessage({ wireFormat: "mls_key_package", keyPackage: keyPackage.keyPackage }),
  });
  await world.run(inviter.add(mallory.user));
  const [entry] = await delivery.readInbox();
  if (entry === undefined) throw new Error("There is an invitation");
  const { welcome } = decodeMessageOf("mls_welcome", entry.welcome);
  const { state } = await joinGroup(welcome, { suite, rules: trusting(world), keyPackage });
  return { state, position: entry.position };
}
