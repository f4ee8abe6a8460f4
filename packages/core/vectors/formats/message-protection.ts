import type { Bytes } from "../../src/codec/bytes.ts";
import { EMPTY } from "../../src/codec/bytes.ts";
import { decode, encode } from "../../src/codec/codec.ts";
import type { CipherSuite } from "../../src/crypto/cipher-suite.ts";
import { commit } from "../../src/framing/commit.ts";
import type {
  AuthenticatedContent,
  Content,
  FramedContent,
  FramedWireFormat,
} from "../../src/framing/framed-content.ts";
import { signFramedContent, verifyAuthenticatedContent } from "../../src/framing/framed-content.ts";
import type { MlsMessage } from "../../src/framing/mls-message.ts";
import { decodeMessage } from "../../src/framing/mls-message.ts";
import { protectPrivate } from "../../src/framing/private-message.ts";
import { proposal } from "../../src/framing/proposal.ts";
import { protectPublic, unprotectPublic } from "../../src/framing/public-message.ts";
import { unprotectPrivate } from "../../src/framing/unprotect.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import type { GroupContext } from "../../src/schedule/group-context.ts";
import { succeeded } from "../../src/result.ts";
import { createSecretTree } from "../../src/schedule/secret-tree.ts";
import { MLS10 } from "../../src/extensions/capabilities.ts";
import type { Case, Format } from "../case.ts";
import { expectBytes, expectRefusal } from "../case.ts";

const SENDER = 1;

/** One epoch of a group of two, as far as message protection needs it. */
class Epoch {
  readonly suite: CipherSuite;
  readonly context: GroupContext;
  readonly #vector: Case;

  constructor(suite: CipherSuite, vector: Case) {
    this.suite = suite;
    this.#vector = vector;
    this.context = {
      version: MLS10,
      cipherSuite: suite.id,
      groupId: vector.hex("group_id"),
      epoch: vector.uint64("epoch"),
      treeHash: vector.hex("tree_hash"),
      confirmedTranscriptHash: vector.hex("confirmed_transcript_hash"),
      extensions: [],
    };
  }

  get membershipKey(): Bytes {
    return this.#vector.hex("membership_key");
  }

  /** A fresh secret tree for each message. */
  get keys(): { senderDataSecret: Bytes; secretTree: ReturnType<typeof createSecretTree> } {
    const secretTree = createSecretTree(this.#vector.hex("encryption_secret"), 2);
    return { senderDataSecret: this.#vector.hex("sender_data_secret"), secretTree };
  }

  async sign(content: Content, wireFormat: FramedWireFormat): Promise<AuthenticatedContent> {
    const signer = await this.suite.signature.importSigner(
      this.#vector.privateKey("signature_priv", this.suite.signature.privateKeyLength),
    );
    const framed: FramedContent = {
      groupId: this.context.groupId,
      epoch: this.context.epoch,
      sender: { senderType: "member", leafIndex: SENDER },
      authenticatedData: EMPTY,
      content,
    };
    const signature = await signFramedContent(signer, { wireFormat, content: framed, context: this.context });
    // The confirmation tag is not checked here: the vector has no confirmation key.
    const confirmationTag = content.contentType === "commit" ? new Uint8Array(this.suite.hash.Nh) : undefined;
    return { wireFormat, content: framed, auth: { signature, confirmationTag } };
  }

  async unprotect(message: MlsMessage): Promise<Content> {
    let authenticated: AuthenticatedContent;
    if (message.wireFormat === "mls_public_message") {
      const { membershipKey, context } = this;
      authenticated = unprotectPublic(this.suite, message.publicMessage, { membershipKey, context });
    } else if (message.wireFormat === "mls_private_message") {
      const isMember = (leaf: number): boolean => leaf === SENDER;
      const keys = { ...this.keys, isMember, own: SENDER + 1, limits: DEFAULT_LIMITS };
      const [opened] = (await unprotectPrivate(this.suite, [message.privateMessage], keys)).outcomes;
      if (opened === undefined || !succeeded(opened)) throw opened ?? new RangeError("no outcome");
      ({ authenticated } = opened);
    } else {
      throw new Error(`unexpected ${message.wireFormat}`);
    }
    const publicKey = this.#vector.hex("signature_pub");
    await verifyAuthenticatedContent(this.suite, authenticated, { publicKey, context: this.context });
    return authenticated.content.content;
  }
}

interface Kind {
  readonly name: "proposal" | "commit" | "application";
  readonly read: (raw: Bytes) => Content;
  readonly write: (content: Content) => Bytes;
}

const KINDS: readonly Kind[] = [
  {
    name: "proposal",
    read: (raw) => ({ contentType: "proposal", proposal: decode(proposal, raw) }),
    write: (content) => (content.contentType === "proposal" ? encode(proposal, content.proposal) : EMPTY),
  },
  {
    name: "commit",
    read: (raw) => ({ contentType: "commit", commit: decode(commit, raw) }),
    write: (content) => (content.contentType === "commit" ? encode(commit, content.commit) : EMPTY),
  },
  {
    name: "application",
    read: (raw) => ({ contentType: "application", applicationData: raw }),
    write: (content) => (content.contentType === "application" ? content.applicationData : EMPTY),
  },
];

export const messageProtection: Format = {
  name: "message-protection",
  fields: ["proposal_priv", "commit_priv", "application_priv"],
  verify: async (vector, suites) => {
    const suite = await suites(vector.number("cipher_suite"));
    const epoch = new Epoch(suite, vector);
    for (const { name, read, write } of KINDS) {
      const raw = vector.hex(name);
      expectBytes(`${name}_priv`, write(await epoch.unprotect(decodeMessage(vector.hex(`${name}_priv`)))), raw);
      const sealed = protectPrivate(suite, await epoch.sign(read(raw), "mls_private_message"), {
        ...epoch.keys,
        padding: 5,
      });
      const again = await epoch.unprotect(decodeMessage(await sealed.message));
      expectBytes(`${name} protected again`, write(again), raw);

      const { membershipKey, context } = epoch;
      const open = await epoch.sign(read(raw), "mls_public_message");
      if (name === "application") {
        await expectRefusal("application data as PublicMessage", () =>
          protectPublic(suite, open, { membershipKey, context }),
        );
        continue;
      }
      expectBytes(`${name}_pub`, write(await epoch.unprotect(decodeMessage(vector.hex(`${name}_pub`)))), raw);
      const publicMessage = protectPublic(suite, open, { membershipKey, context });
      expectBytes(
        `${name} public again`,
        write(await epoch.unprotect({ wireFormat: "mls_public_message", publicMessage })),
        raw,
      );
    }
  },
};
