/** Following a device log: what the server returned against what is known of the user already. */
import { getCipherSuite, isCoppiceError, loadKernel, type CipherSuite } from "@coppice/core";
import { Chain } from "./chain.ts";
import { signedContent } from "./codec.ts";
import type { DeviceLogEntry, LogKey } from "./entry.ts";
import type { DeviceLog } from "./log.ts";
import { deviceLogError, LogBuilder } from "./rules.ts";

/** Signatures that are verified at once: some engines do several in the time of one. */
const AT_ONCE = 16;

/**
 * Verifies entries of a user's device log by `DEVICE_LOG_RULES` and returns what they amount to. At first contact hand in the
 * whole log, from position 0. After that hand in the `pinned` log and what the server returns from `pinned.position` on: the
 * pinned head itself comes first, since a log that was rolled back would else look like one that did not grow. An entry that
 * follows the pinned head may also come alone.
 *
 * Costs one verification of a signature for each entry after the pinned head. Returns `pinned` itself if there are none.
 * `ERR_DS_DEVICE_LOG` with `detail.rule`, `detail.position` and `detail.user`; `RangeError` if `pinned` is another user's.
 *
 * @example
 * ```ts check
 * import { verifyDeviceLog, type DeliveryService, type DeviceLog } from "@coppice/delivery/contract";
 *
 * async function follow(delivery: DeliveryService, pinned: DeviceLog): Promise<DeviceLog> {
 *   const { user, position } = pinned;
 *   return verifyDeviceLog(await delivery.readDeviceLog({ user, from: position }), { user, pinned });
 * }
 * ```
 */
export async function verifyDeviceLog(
  entries: readonly DeviceLogEntry[],
  { user, pinned }: { readonly user: string; readonly pinned?: DeviceLog | undefined },
): Promise<DeviceLog> {
  if (pinned !== undefined && pinned.user !== user) throw new RangeError("The pinned device log is another user's");
  const { sha256 } = await loadKernel();
  const chain = new Chain(user, pinned, (data) => sha256.digest(data));
  const builder = new LogBuilder(pinned);
  const signatures = new Signatures();
  try {
    for (const given of entries) {
      const entry = chain.follow(given);
      if (entry === undefined) continue;
      const key = builder.signerOf(entry);
      await checkKey(entry);
      builder.apply(entry);
      await signatures.add(entry, key);
    }
  } finally {
    // Also where an entry was refused: a forged one before it is the first fault.
    await signatures.finish();
  }
  const { root, position, head } = chain.finish();
  if (position === pinned?.position) return pinned;
  return { user, root, position, head, devices: builder.devices, recovery: builder.recovery };
}

/** Verifies signatures (DL-7) several at once. */
class Signatures {
  #waiting: { readonly entry: DeviceLogEntry; readonly key: LogKey }[] = [];

  async add(entry: DeviceLogEntry, key: LogKey): Promise<void> {
    this.#waiting.push({ entry, key });
    if (this.#waiting.length === AT_ONCE) await this.finish();
  }

  async finish(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    const verdicts = await Promise.all(waiting.map(({ entry, key }) => isSignedBy(entry, key)));
    const forged = waiting[verdicts.indexOf(false)];
    if (forged !== undefined) throw deviceLogError("DL-7", forged.entry);
  }
}

async function isSignedBy(entry: DeviceLogEntry, { suite, publicKey }: LogKey): Promise<boolean> {
  const { signature } = await getCipherSuite(suite);
  return signature.verify(publicKey, signedContent(entry), entry.signature);
}

async function checkKey(entry: DeviceLogEntry): Promise<void> {
  if (entry.change.action === "remove") return;
  const { suite: id, publicKey } = entry.change.key;
  let suite: CipherSuite;
  try {
    suite = await getCipherSuite(id);
  } catch (cause) {
    // Anything else is this platform's trouble, not the log's.
    if (!isCoppiceError(cause, "ERR_MLS_VERSION")) throw cause;
    throw deviceLogError("DL-11", { ...entry, cause });
  }
  if (publicKey.length !== suite.signature.publicKeyLength) throw deviceLogError("DL-11", entry);
}
