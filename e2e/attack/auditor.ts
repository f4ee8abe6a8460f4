/** A member of the groups under attack who says nothing, keeps every epoch's sender data secret and reads the server's log. */
import {
  basicCredential,
  createKeyPackage,
  decodeMessage,
  DEFAULT_LIMITS,
  defaultCapabilities,
  encodeMessage,
  findWelcomed,
  fromHex,
  getCipherSuite,
  isCoppiceError,
  joinGroup,
  makeRules,
  processMessage,
  randomBytes,
  toHex,
  type AuthenticationService,
  type CipherSuite,
  type Credential,
  type GroupState,
  type OwnKeyPackage,
  type Rules,
} from "@coppice/core";
import { connectDelivery, type DeliveryService, type LogEntry, type LogPosition } from "@coppice/delivery";
import { decodeIdentity, encodeIdentity, signDeviceLogEntry } from "@coppice/delivery/contract";
import { KeyLedger } from "./key-ledger.ts";

/** The name under which it is invited. */
export const AUDITOR = "auditor";

const SUITE = 1;
/** Group context extension of the SDK's titles. */
const TITLE_EXTENSION = 0xf0c1;
/** Seconds. */
const DAY = 86_400n;

/** What a group's log says of its keys. */
export interface Audit {
  /** Keys that messages were encrypted with. */
  readonly keys: number;
  /** Those with which several were: epoch, leaf, ratchet and generation. */
  readonly repeated: readonly string[];
}

interface Membership {
  state: GroupState;
  position: LogPosition;
  readonly ledger: KeyLedger;
}

export class Auditor {
  readonly #suite: CipherSuite;
  readonly #rules: Rules;
  readonly #delivery: DeliveryService;
  readonly #keyPackage: OwnKeyPackage;
  readonly #memberships = new Map<string, Membership>();

  private constructor(parts: {
    readonly suite: CipherSuite;
    readonly rules: Rules;
    readonly delivery: DeliveryService;
    readonly keyPackage: OwnKeyPackage;
  }) {
    this.#suite = parts.suite;
    this.#rules = parts.rules;
    this.#delivery = parts.delivery;
    this.#keyPackage = parts.keyPackage;
  }

  /** Registers the auditor with a server, so that it can be invited. */
  static async register(url: string): Promise<Auditor> {
    const suite = await getCipherSuite(SUITE);
    const { privateKey, publicKey } = await suite.signature.generateKeyPair();
    const signer = await suite.signature.importSigner(privateKey);
    const client = { user: AUDITOR, device: toHex(randomBytes(16)) };
    const { entry } = await signDeviceLogEntry({
      user: client.user,
      log: undefined,
      change: { action: "create", device: client.device, key: { suite: SUITE, publicKey }, nonce: randomBytes(32) },
      signedBy: client.device,
      signer,
    });
    const sign = (challenge: Uint8Array): Promise<Uint8Array> => signer.sign(new Uint8Array(challenge));
    const delivery = await connectDelivery({
      url,
      identity: { client, suite: SUITE, publicKey, sign, register: entry },
    });
    const now = BigInt(Math.floor(Date.now() / 1000));
    const keyPackage = await createKeyPackage({
      ...{ suite, signer },
      credential: basicCredential(encodeIdentity({ client, position: 0 })),
      lifetime: { notBefore: now - 3600n, notAfter: now + 30n * DAY },
      capabilities: defaultCapabilities([SUITE], { extensions: [TITLE_EXTENSION], credentials: [1] }),
    });
    // One for all groups that it is invited to.
    const lastResort = encodeMessage({ wireFormat: "mls_key_package", keyPackage: keyPackage.keyPackage });
    await delivery.publishKeyPackages({ keyPackages: [], lastResort });
    const rules = makeRules({
      authentication: trusting,
      now: () => BigInt(Math.floor(Date.now() / 1000)),
      supportedExtensions: [TITLE_EXTENSION],
    });
    return new Auditor({ suite, rules, delivery, keyPackage });
  }

  /** Joins the groups that it was invited to. */
  async join(): Promise<void> {
    for (const { id, groupId, welcome, position } of await this.#delivery.readInbox()) {
      findWelcomed(welcome, [this.#keyPackage]);
      const { state } = await joinGroup(welcome, {
        suite: this.#suite,
        rules: this.#rules,
        keyPackage: this.#keyPackage,
      });
      const ledger = new KeyLedger(this.#suite);
      ledger.learn(state.context.epoch, state.secrets.senderDataSecret);
      this.#memberships.set(toHex(groupId), { state, position, ledger });
      await this.#delivery.acknowledgeInbox(id);
    }
  }

  /** Reads the logs of all groups to their ends. Fails if it cannot follow one. */
  async audit(): Promise<Audit> {
    await this.join();
    let keys = 0;
    const repeated: string[] = [];
    for (const [id, membership] of this.#memberships) {
      await this.#follow(fromHex(id), membership);
      keys += membership.ledger.keys;
      repeated.push(...membership.ledger.repeated.map((key) => `${key} (group ${id.slice(0, 8)})`));
    }
    if (keys === 0) throw new Error("The auditor has seen no message: it proves nothing");
    return { keys, repeated };
  }

  async close(): Promise<void> {
    await this.#delivery.close();
  }

  async #follow(groupId: Uint8Array, membership: Membership): Promise<void> {
    for (;;) {
      const { incarnation, lastSeq, entries } = await this.#delivery.readLog({ groupId, after: membership.position });
      for (const entry of entries) {
        try {
          await this.#take(membership, entry);
        } catch (error) {
          throw new Error(`The auditor cannot follow the log of ${toHex(groupId)} at entry ${String(entry.seq)}`, {
            cause: error,
          });
        }
      }
      const seq = entries.at(-1)?.seq ?? lastSeq;
      membership.position = { incarnation, seq };
      if (seq >= lastSeq) return;
    }
  }

  async #take(membership: Membership, { message }: LogEntry): Promise<void> {
    await membership.ledger.note(message);
    const decoded = decodeMessage(message, DEFAULT_LIMITS);
    // What is said is of no interest, and a handshake of an epoch that has ended comes to nothing.
    if (decoded.wireFormat === "mls_private_message") {
      const { contentType, epoch } = decoded.privateMessage;
      if (contentType === "application" || epoch !== membership.state.context.epoch) return;
    }
    const { state } = await processMessage(membership.state, decoded, { rules: this.#rules }).catch(
      (error: unknown) => {
        // A proposal that members refuse, a Commit does not refer to either.
        if (isProposal(decoded) && isCoppiceError(error)) return membership;
        throw error;
      },
    );
    membership.state = state;
    membership.ledger.learn(state.context.epoch, state.secrets.senderDataSecret);
  }
}

type Decoded = ReturnType<typeof decodeMessage>;
const isProposal = (message: Decoded): boolean =>
  (message.wireFormat === "mls_private_message" && message.privateMessage.contentType === "proposal") ||
  (message.wireFormat === "mls_public_message" && message.publicMessage.content.content.contentType === "proposal");

/** Believes whatever a leaf says of itself: who may be in the group is judged by the people. */
const trusting: AuthenticationService = {
  validate: () => Promise.resolve(),
  sameClient: (a, b) => isSameDevice(a.credential, b.credential),
  sameIdentity: isSameDevice,
};

function isSameDevice(a: Credential, b: Credential): boolean {
  const [one, other] = [a, b].map((credential) => {
    if (credential.credentialType !== 1) throw new Error("Only basic credentials are used here");
    return decodeIdentity(credential.identity).client;
  });
  return one?.user === other?.user && one?.device === other?.device;
}
