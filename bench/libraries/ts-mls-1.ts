/** ts-mls 1, following its README. */
import type { ClientState, KeyPackage, MLSMessage, Proposal } from "ts-mls";
import * as mls from "ts-mls";
import type { Bytes, CommitRequest, Library, Member } from "./library.ts";
import { identityOf } from "../fixtures/identity.ts";
import { openOneByOne } from "./library.ts";

const suite = await mls.getCiphersuiteImpl(mls.getCiphersuiteFromName("MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519"));
const version = "mls10";

type Of<F extends MLSMessage["wireformat"]> = Extract<MLSMessage, { wireformat: F }>;

function read<F extends MLSMessage["wireformat"]>(format: F, bytes: Bytes): Of<F> {
  const message = mls.decodeMlsMessage(bytes, 0)?.[0];
  if (message?.wireformat !== format) throw new Error(`not an ${format}`);
  return message as Of<F>;
}

const write = (message: MLSMessage): Bytes => new Uint8Array(mls.encodeMlsMessage(message));

function proposalsOf({ add = [], remove = [] }: CommitRequest): Proposal[] {
  return [
    ...add.map((bytes): Proposal => {
      const { keyPackage } = read("mls_key_package", bytes);
      return { proposalType: "add", add: { keyPackage } };
    }),
    ...remove.map((removed): Proposal => ({ proposalType: "remove", remove: { removed } })),
  ];
}

function memberOf(state: ClientState): Member {
  let current = state;
  const process = async (bytes: Bytes): Promise<mls.ProcessMessageResult> => {
    const message = mls.decodeMlsMessage(bytes, 0)?.[0];
    if (message?.wireformat !== "mls_private_message" && message?.wireformat !== "mls_public_message") {
      throw new Error("not a message to a group");
    }
    return mls.processMessage(message, current, mls.emptyPskIndex, mls.acceptAll, suite);
  };
  const open = async (bytes: Bytes): Promise<Bytes> => {
    const received = await process(bytes);
    if (received.kind !== "applicationMessage") throw new Error("not an application message");
    current = received.newState;
    return new Uint8Array(received.message);
  };
  return {
    fork: () => memberOf(current),
    commit: async (request) => {
      const made = await mls.createCommit(
        { state: current, cipherSuite: suite },
        {
          extraProposals: proposalsOf(request),
          ratchetTreeExtension: true,
          wireAsPublicMessage: request.wire === "mls_public_message",
        },
      );
      current = made.newState;
      const welcome = made.welcome && write({ wireformat: "mls_welcome", welcome: made.welcome, version });
      return { commit: write(made.commit), welcome };
    },
    process: async (bytes) => {
      current = (await process(bytes)).newState;
    },
    send: async (data) => {
      const sent = await mls.createApplicationMessage(current, data, suite);
      current = sent.newState;
      return write({ wireformat: "mls_private_message", privateMessage: sent.privateMessage, version });
    },
    open,
    openAll: (messages) => openOneByOne(open, messages),
    // ts-mls writes external_pub without its length (RFC 9420 §12.4.3.2), and reads no other.
    groupInfo: async () => {
      const groupInfo = await mls.createGroupInfoWithExternalPubAndRatchetTree(current, [], suite);
      return write({ wireformat: "mls_group_info", groupInfo, version });
    },
    encode: () => new Uint8Array(mls.encodeGroupState(current)),
    decode: (bytes) => {
      const decoded = mls.decodeGroupState(bytes, 0)?.[0];
      if (decoded === undefined) return Promise.reject(new Error("not a state"));
      return Promise.resolve(memberOf({ ...decoded, clientConfig: current.clientConfig }));
    },
  };
}

export const tsMls1: Library = {
  name: "ts-mls 1.6.4",
  forks: true,
  mostMembers: 1_000,
  newClient: async (number) => {
    const now = Math.floor(Date.now() / 1000);
    const signatureKeyPair = await suite.signature.keygen();
    const generate = (): ReturnType<typeof mls.generateKeyPackage> =>
      mls.generateKeyPackageWithKey(
        { credentialType: "basic", identity: new TextEncoder().encode(identityOf(number)) },
        mls.defaultCapabilities(),
        { notBefore: BigInt(now - 3_600), notAfter: BigInt(now + 1_314_000) },
        [],
        signatureKeyPair,
        suite,
      );
    const { publicPackage, privatePackage } = await generate();
    const toMessage = (keyPackage: KeyPackage): Bytes => write({ keyPackage, wireformat: "mls_key_package", version });
    return {
      keyPackage: toMessage(publicPackage),
      newKeyPackage: async () => toMessage((await generate()).publicPackage),
      found: async () => {
        const groupId = crypto.getRandomValues(new Uint8Array(32));
        const fresh = await generate();
        return memberOf(await mls.createGroup(groupId, fresh.publicPackage, fresh.privatePackage, [], suite));
      },
      join: async (bytes) => {
        const { welcome } = read("mls_welcome", bytes);
        return memberOf(await mls.joinGroup(welcome, publicPackage, privatePackage, mls.emptyPskIndex, suite));
      },
      joinExternally: async (bytes) => {
        const { groupInfo } = read("mls_group_info", bytes);
        const joined = await mls.joinGroupExternal(groupInfo, publicPackage, privatePackage, false, suite);
        return write({ wireformat: "mls_public_message", publicMessage: joined.publicMessage, version });
      },
    };
  },
};
