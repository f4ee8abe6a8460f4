/** Further devices of a user, and changes of device logs, as an application's linking does them. */
import { getCipherSuite, randomBytes, toHex, type Signer } from "@coppice/core";
import {
  signDeviceLogEntry,
  verifyDeviceLog,
  type DeviceLogChange,
  type MemoryDeliveryService,
} from "@coppice/delivery";
import { ACCOUNT, accountRecord, type AccountRecord } from "../src/records/account.ts";
import { Device } from "./world.ts";

export async function accountOf(device: Device): Promise<AccountRecord & { readonly signer: Signer }> {
  const { records } = await device.store().read(ACCOUNT, [{ prefix: ACCOUNT }]);
  const stored = records.get(ACCOUNT);
  if (stored === undefined) throw new Error("The device has an account");
  const account = accountRecord.decode(stored);
  const { signature } = await getCipherSuite(1);
  return { ...account, signer: await signature.importSigner(account.privateKey) };
}

/** Extends the log of a device's user, signed by the device. */
export async function extendLog(
  device: Device,
  delivery: MemoryDeliveryService,
  change: DeviceLogChange,
): Promise<void> {
  const { user, device: signedBy, signer } = await accountOf(device);
  const log = await verifyDeviceLog(await delivery.readDeviceLog({ user, from: 0 }), { user });
  const { entry } = await signDeviceLogEntry({ user, log, change, signedBy, signer });
  await delivery.appendDeviceLog(entry);
}

/** Another device of the same user, listed in the user's log and not opened yet. */
export async function linkedDevice(first: Device, delivery: MemoryDeliveryService): Promise<Device> {
  const linked = new Device(first.world, first.name);
  const { signature } = await getCipherSuite(1);
  const keys = await signature.generateKeyPair();
  const { user } = await accountOf(first);
  const record = { user, device: toHex(randomBytes(16)), ...keys, salt: randomBytes(16), position: undefined };
  const put = new Map([[ACCOUNT, accountRecord.encode(record)]]);
  await linked.store().write([{ partition: ACCOUNT, expectedVersion: 0, put }]);
  const key = { suite: 1, publicKey: keys.publicKey };
  await extendLog(first, delivery, { action: "add", device: record.device, key });
  return linked;
}
