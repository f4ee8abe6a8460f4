/** Users and devices for tests, with real keys and real device logs. */
import type { Bytes } from "@coppice/core";
import { getCipherSuite, toHex } from "@coppice/core";
import { randomBytes } from "@coppice/kit";
import type { ClientId, Identity } from "../contract.ts";
import type { DeviceLogChange, DeviceLogEntry, LogKey } from "../device-log/entry.ts";
import { hashDeviceLogEntry, signDeviceLogEntry } from "../standin/device-log.ts";

/** An identity that can also extend its user's device log. */
export interface TestIdentity extends Identity {
  readonly key: LogKey;
  readonly register: DeviceLogEntry;
  /** The next entry after `previous`, signed by this device. */
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
  const sign = (content: Uint8Array): Promise<Bytes> => signer.sign(new Uint8Array(content));
  const key: LogKey = { suite, publicKey };
  const register = await signDeviceLogEntry(
    {
      user,
      position: 0,
      previous: new Uint8Array(0),
      change: { action: "create", device, key, nonce: randomBytes(32) },
      signer: device,
    },
    sign,
  );
  const client: ClientId = { user, device };
  return {
    client,
    suite,
    publicKey,
    key,
    sign,
    register,
    extend: async (previous, change) =>
      signDeviceLogEntry(
        {
          user,
          position: previous.position + 1,
          previous: await hashDeviceLogEntry(previous),
          change,
          signer: device,
        },
        sign,
      ),
  };
}
