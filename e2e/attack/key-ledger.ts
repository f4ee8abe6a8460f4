/** Counting the keys of a group's messages: a generation of a member's ratchet is for one message (RFC 9420 §9.1, §15). */
import { createHash } from "node:crypto";
import { codec, decodeMessage, DEFAULT_LIMITS, isCoppiceError, type Bytes, type CipherSuite } from "@coppice/core";

/** The start of `PrivateContentAAD`, all of `SenderDataAAD` (§6.3.2). */
const senderDataAad = codec.struct({ groupId: codec.opaque, epoch: codec.uint64, contentType: codec.uint8 });
const CONTENT_TYPES = { application: 1, proposal: 2, commit: 3 } as const;

/** What the messages of a group's log are encrypted with, as one who has the epochs' sender data secrets sees it. */
export class KeyLedger {
  readonly #suite: CipherSuite;
  readonly #secrets = new Map<bigint, Bytes>();
  /** By epoch, leaf, ratchet and generation: hashes of the different messages. */
  readonly #uses = new Map<string, Set<string>>();

  constructor(suite: CipherSuite) {
    this.#suite = suite;
  }

  /** How many keys were seen. */
  get keys(): number {
    return this.#uses.size;
  }

  /** Those that more than one message was encrypted with; the same bytes twice are one message. */
  get repeated(): readonly string[] {
    return [...this.#uses].filter(([, messages]) => messages.size > 1).map(([key]) => key);
  }

  /** The `sender_data_secret` of an epoch, `Nh` bytes; it is copied. */
  learn(epoch: bigint, senderDataSecret: Uint8Array): void {
    this.#secrets.set(epoch, new Uint8Array(senderDataSecret));
  }

  /** Notes an encoded `MLSMessage`; what is no private message takes no key of a ratchet. Fails if it does not open. */
  async note(message: Uint8Array): Promise<void> {
    const decoded = decodeMessage(message, DEFAULT_LIMITS);
    if (decoded.wireFormat !== "mls_private_message") return;
    const { groupId, epoch, contentType, encryptedSenderData, ciphertext } = decoded.privateMessage;
    const secret = this.#secrets.get(epoch);
    if (secret === undefined) throw new Error(`The sender data secret of epoch ${String(epoch)} is not known`);
    const aad = codec.encode(senderDataAad, { groupId, epoch, contentType: CONTENT_TYPES[contentType] });
    const sealed = { senderDataAad: aad, encryptedSenderData, ciphertext };
    const [senderData] = await this.#suite.messages.openSenderData(secret, [sealed]);
    if (senderData === undefined || isCoppiceError(senderData)) throw senderData ?? new Error("Nothing was opened");
    const view = new DataView(senderData.buffer, senderData.byteOffset, senderData.byteLength);
    const ratchet = contentType === "application" ? "application" : "handshake";
    const key = `epoch ${String(epoch)}, leaf ${String(view.getUint32(0))}, ${ratchet} ${String(view.getUint32(4))}`;
    const messages = this.#uses.get(key) ?? new Set();
    this.#uses.set(key, messages.add(createHash("sha256").update(message).digest("hex")));
  }
}
