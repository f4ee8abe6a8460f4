/** ts-mls 2, following its README. */
import type { ClientState, KeyPackage, MlsContext, MlsMessage, Proposal } from "ts-mls-2";
import * as mls from "ts-mls-2";
import type { Bytes, CommitRequest, Library, Member } from "./library.ts";
import { identityOf } from "../fixtures/identity.ts";
import { openOneByOne } from "./library.ts";

type SuiteName = Parameters<typeof mls.getCiphersuiteImpl>[0];

async function contextOf(suite: SuiteName): Promise<MlsContext> {
  const cipherSuite = await mls.getCiphersuiteImpl(suite);
  return { cipherSuite, authService: mls.unsafeTestingAuthenticationService };
}

const version = mls.protocolVersions.mls10;

type Of<F extends keyof typeof mls.wireformats> = Extract<MlsMessage, { wireformat: (typeof mls.wireformats)[F] }>;

function read<F extends keyof typeof mls.wireformats>(format: F, bytes: Bytes): Of<F> {
  const message = mls.decode(mls.mlsMessageDecoder, bytes);
  if (message?.wireformat !== mls.wireformats[format]) throw new Error(`not an ${format}`);
  return message as Of<F>;
}

const write = (message: MlsMessage): Bytes => new Uint8Array(mls.encode(mls.mlsMessageEncoder, message));

function proposalsOf({ add = [], remove = [] }: CommitRequest): Proposal[] {
  return [
    ...add.map((bytes): Proposal => {
      const { keyPackage } = read("mls_key_package", bytes);
      return { proposalType: mls.defaultProposalTypes.add, add: { keyPackage } };
    }),
    ...remove.map((removed): Proposal => ({ proposalType: mls.defaultProposalTypes.remove, remove: { removed } })),
  ];
}

function memberOf(context: MlsContext, state: ClientState): Member {
  let current = state;
  const process = async (bytes: Bytes): Promise<mls.ProcessMessageResult> => {
    const message = mls.decode(mls.mlsMessageDecoder, bytes);
    if (message?.wireformat === mls.wireformats.mls_private_message) {
      return mls.processMessage({ context, state: current, message });
    }
    return mls.processMessage({ context, state: current, message: read("mls_public_message", bytes) });
  };
  const open = async (bytes: Bytes): Promise<Bytes> => {
    const received = await process(bytes);
    if (received.kind !== "applicationMessage") throw new Error("not an application message");
    current = received.newState;
    return new Uint8Array(received.message);
  };
  return {
    fork: () => memberOf(context, current),
    commit: async (request) => {
      const made = await mls.createCommit({
        context,
        state: current,
        extraProposals: proposalsOf(request),
        ratchetTreeExtension: true,
        wireAsPublicMessage: request.wire === "mls_public_message",
      });
      current = made.newState;
      return { commit: write(made.commit), welcome: made.welcome && write(made.welcome) };
    },
    process: async (bytes) => {
      current = (await process(bytes)).newState;
    },
    send: async (message) => {
      const sent = await mls.createApplicationMessage({ context, state: current, message });
      current = sent.newState;
      return write(sent.message);
    },
    open,
    openAll: (messages) => openOneByOne(open, messages),
    // ts-mls writes external_pub without its length (RFC 9420 §12.4.3.2), and reads no other.
    groupInfo: async () =>
      write({
        wireformat: mls.wireformats.mls_group_info,
        groupInfo: await mls.createGroupInfoWithExternalPubAndRatchetTree(current, [], context.cipherSuite),
        version,
      }),
    encode: () => new Uint8Array(mls.encode(mls.clientStateEncoder, current)),
    decode: (bytes) => {
      const decoded = mls.decode(mls.clientStateDecoder, bytes);
      if (decoded === undefined) return Promise.reject(new Error("not a state"));
      return Promise.resolve(memberOf(context, decoded));
    },
  };
}

/** With groups of this suite, which it numbers in its own way. Up to `mostMembers` of them it takes seconds, not minutes. */
export async function tsMls2Of(suite: SuiteName, mostMembers: number): Promise<Library> {
  const context = await contextOf(suite);
  return {
    name: "ts-mls 2.0.0-rc.10",
    forks: true,
    mostMembers,
    newClient: async (number) => {
      const credential = {
        credentialType: mls.defaultCredentialTypes.basic,
        identity: new TextEncoder().encode(identityOf(number)),
      };
      const { cipherSuite } = context;
      const signatureKeyPair = await cipherSuite.signature.keygen();
      const generate = (): ReturnType<typeof mls.generateKeyPackage> =>
        mls.generateKeyPackageWithKey({ credential, cipherSuite, signatureKeyPair });
      const { publicPackage: keyPackage, privatePackage: privateKeys } = await generate();
      const toMessage = (made: KeyPackage): Bytes =>
        write({ keyPackage: made, wireformat: mls.wireformats.mls_key_package, version });
      return {
        keyPackage: toMessage(keyPackage),
        newKeyPackage: async () => toMessage((await generate()).publicPackage),
        found: async () => {
          const groupId = crypto.getRandomValues(new Uint8Array(32));
          const { publicPackage, privatePackage } = await generate();
          return memberOf(
            context,
            await mls.createGroup({ context, groupId, keyPackage: publicPackage, privateKeyPackage: privatePackage }),
          );
        },
        join: async (bytes) => {
          const { welcome } = read("mls_welcome", bytes);
          return memberOf(context, await mls.joinGroup({ context, welcome, keyPackage, privateKeys }));
        },
        joinExternally: async (bytes) => {
          const { groupInfo } = read("mls_group_info", bytes);
          const joined = await mls.joinGroupExternal({ context, groupInfo, keyPackage, privateKeys, resync: false });
          return write({
            wireformat: mls.wireformats.mls_public_message,
            publicMessage: joined.publicMessage,
            version,
          });
        },
      };
    },
  };
}

export const tsMls2: Library = await tsMls2Of("MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519", 1_000);
