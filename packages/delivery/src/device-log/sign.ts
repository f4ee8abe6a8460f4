/** Making device log entries. */
import { codec, type Signer } from "@coppice/core";
import { deviceLogEntry, MAX_DEVICE_LOG_ENTRIES, signedContent } from "./codec.ts";
import type { DeviceLogChange, DeviceLogEntry } from "./entry.ts";
import type { DeviceLog } from "./log.ts";
import { deviceLogError } from "./rules.ts";
import { verifyDeviceLog } from "./verify.ts";

/** What an entry is made of. */
export interface SignDeviceLogOptions {
  readonly user: string;
  /** The log that the entry extends; undefined for the first entry. */
  readonly log: DeviceLog | undefined;
  readonly change: DeviceLogChange;
  /** Device id of the signer, or `recovery`. */
  readonly signedBy: string;
  /** Signs with the signer's key, by the scheme of the suite that the log lists the key with. */
  readonly signer: Pick<Signer, "sign">;
}

/**
 * Makes the entry that extends a log, and the log as it is once the server has appended it. What breaks a rule, also by a
 * wrong signer, is refused like everybody else would refuse it: `ERR_DS_DEVICE_LOG` with `detail.rule`. `TypeError` or `RangeError` for
 * impossible arguments.
 *
 * @example
 * ```ts run
 * import { getCipherSuite, randomBytes, toHex } from "@coppice/core";
 * import { listedDevices, signDeviceLogEntry } from "@coppice/delivery/contract";
 *
 * const { signature } = await getCipherSuite(1);
 * const { privateKey, publicKey } = await signature.generateKeyPair();
 * const device = toHex(randomBytes(16));
 * const { log } = await signDeviceLogEntry({
 *   user: "alice",
 *   log: undefined,
 *   change: { action: "create", device, key: { suite: 1, publicKey }, nonce: randomBytes(32) },
 *   signedBy: device,
 *   signer: await signature.importSigner(privateKey),
 * });
 * console.assert(log.position === 0 && listedDevices(log)[0]?.device === device);
 * ```
 */
export async function signDeviceLogEntry({
  user,
  log,
  change,
  signedBy,
  signer,
}: SignDeviceLogOptions): Promise<{ readonly entry: DeviceLogEntry; readonly log: DeviceLog }> {
  const position = log === undefined ? 0 : log.position + 1;
  if (position === MAX_DEVICE_LOG_ENTRIES) throw deviceLogError("DL-14", { user, position });
  const draft: DeviceLogEntry = {
    user,
    position,
    previous: log === undefined ? new Uint8Array(0) : log.head,
    change,
    signer: signedBy,
    signature: new Uint8Array(0),
  };
  // A copy: what the caller gave may change while the signer works.
  const unsigned = codec.decode(deviceLogEntry, codec.encode(deviceLogEntry, draft));
  const entry = { ...unsigned, signature: new Uint8Array(await signer.sign(signedContent(unsigned))) };
  return { entry, log: await verifyDeviceLog([entry], { user, pinned: log }) };
}
