/** Users and devices for tests, with real keys and real device logs. */

import { type Bytes, codec, getCipherSuite, loadKernel, toHex } from "@coppice/core";
import { randomBytes } from "@coppice/kit";
import type { ClientId, Identity } from "../contract.ts";
import { deviceLogEntry, signedContent } from "../device-log/codec.ts";
import type { DeviceLogChange, DeviceLogEntry, LogKey } from "../device-log/entry.ts";

/** An identity that can also extend its user's device log. */
export interface TestIdentity extends Identity {
  readonly key: LogKey;
  readonly register: DeviceLogEntry;
  /** An entry after `previous`, signed by this device, whether the log's rules allow it or not. */
  extend(previous: DeviceLogEntry, change: DeviceLogChange): Promise<DeviceLogEntry>;
}

/** A name that no other case uses. */
export const uniqueName = (prefix = "user"): string => `${prefix}-${toHex(randomBytes(8))}`;

/** A device id that no other case uses. */
export const newDevice = (): string => toHex(randomBytes(16));

interface IdentityOptions {
  readonly user?: string;
  readonly device?: string;
  /** Default 1. */
  readonly suite?: number;
}

/** A new identity with a key of its own, and the first entry of a device log that lists it alone. */
export async function createIdentity(options: IdentityOptions = {}): Promise<TestIdentity> {
  const { user = uniqueName(), device = newDevice(), suite = 1 } = options;
  const { signature } = await getCipherSuite(suite);
  const { publicKey, privateKey } = await signature.generateKeyPair();
  const signer = await signature.importSigner(privateKey);
  const { sha256 } = await loadKernel();
  const sign = (content: Uint8Array): Promise<Bytes> => signer.sign(new Uint8Array(content));
  const entry = async (position: number, previous: Bytes, change: DeviceLogChange): Promise<DeviceLogEntry> => {
    const content = { user, position, previous, change, signer: device };
    return { ...content, signature: await sign(signedContent(content)) };
  };
  const key: LogKey = { suite, publicKey };
  const client: ClientId = { user, device };
  return {
    client,
    suite,
    publicKey,
    key,
    sign,
    register: await entry(0, new Uint8Array(0), { action: "create", device, key, nonce: randomBytes(32) }),
    extend: (previous, change) =>
      entry(previous.position + 1, sha256.digest(codec.encode(deviceLogEntry, previous)), change),
  };
}
