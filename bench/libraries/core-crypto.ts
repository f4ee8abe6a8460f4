/**
 * Wire's core-crypto, following its documentation: every operation is a transaction on its database, here in memory. It sends
 * and takes Commits as PublicMessages only, and gives no state out.
 */
import type { CommitBundle, ConversationId, CoreCryptoContext } from "@wireapp/core-crypto/browser";
import {
  ClientId,
  ConversationId as Conversation,
  CoreCrypto,
  Credential,
  CipherSuite,
  Database,
  DecryptedMessage,
  DeviceId,
  GroupInfo,
  initWasmModule,
  KeyPackage,
  Uuid,
  Welcome,
} from "@wireapp/core-crypto/browser";
import { concat } from "@coppice/core";
import { DOMAIN, userIdOf } from "../fixtures/identity.ts";
import { urlOf } from "../fixtures/origin.ts";
import type { Bytes, Library, Member } from "./library.ts";
import { cannot, openOneByOne } from "./library.ts";

const SUITE = CipherSuite.Mls128Dhkemx25519Aes128gcmSha256Ed25519;

/** `ProtocolVersion version; WireFormat wire_format;` of an `MLSMessage`: key packages and GroupInfos go without them. */
const KEY_PACKAGE_FRAME = Uint8Array.of(0, 1, 0, 5);
const FRAME_BYTES = KEY_PACKAGE_FRAME.length;

let loading: Promise<void> | undefined;

function load(): Promise<void> {
  // It takes a worker for Node otherwise, and refuses to start.
  Object.assign(globalThis, { window: globalThis });
  loading ??= initWasmModule(urlOf("wasm/core-crypto"));
  return loading;
}

const clientIdOf = (number: number): ClientId =>
  new ClientId(new Uuid(userIdOf(number)), new DeviceId(BigInt(number)), DOMAIN);

/** One client with its database, and what it sent last. */
interface Device {
  readonly run: <T>(callback: (context: CoreCryptoContext) => Promise<T>) => Promise<T>;
  readonly sent: () => CommitBundle;
}

function memberOf({ run, sent }: Device, id: ConversationId): Member {
  const open = async (message: Bytes): Promise<Bytes> => {
    const received = await run((context) => context.decryptMessage(id, message));
    if (!DecryptedMessage.Text.instanceOf(received)) throw new Error("not an application message");
    return new Uint8Array(received.inner.plaintext);
  };
  return {
    fork: cannot,
    commit: async ({ add = [], remove = [] }) => {
      await run(async (context) => {
        if (add.length > 0) {
          const packages = add.map((bytes) => new KeyPackage(bytes.subarray(FRAME_BYTES)));
          await context.addClientsToConversation(id, packages);
        } else if (remove.length > 0) await context.removeClientsFromConversation(id, remove.map(clientIdOf));
        else await context.updateKeyingMaterial(id);
      });
      const { commit, welcome } = sent();
      return {
        commit: new Uint8Array(commit),
        welcome: welcome === undefined ? undefined : new Uint8Array(welcome.serialize()),
      };
    },
    process: async (commit) => {
      await run((context) => context.decryptMessage(id, commit));
    },
    send: async (data) => new Uint8Array(await run((context) => context.encryptMessage(id, data))),
    open,
    openAll: (messages) => openOneByOne(open, messages),
    groupInfo: cannot,
    encode: cannot,
    decode: cannot,
  };
}

export const coreCrypto: Library = {
  name: "core-crypto 10.3.0",
  forks: false,
  mostMembers: 1_000,
  steps: ["key package", "found", "add", "join", "join externally", "public commit", "remove", "message"],
  newClient: async (number) => {
    await load();
    const core = CoreCrypto.new(await Database.inMemory());
    let sent: CommitBundle | undefined;
    const transport = {
      sendCommitBundle: (bundle: CommitBundle): Promise<void> => {
        sent = bundle;
        return Promise.resolve();
      },
      prepareForTransport: () => Promise.resolve(new Uint8Array(0)),
    };
    const device: Device = {
      run: (callback) => core.transaction(callback),
      sent: () => {
        if (sent === undefined) throw new Error("nothing was sent");
        return sent;
      },
    };
    const clientId = clientIdOf(number);
    const credential = await device.run(async (context) => {
      await context.mlsInit(clientId, transport);
      return context.addCredential(Credential.basic(SUITE, clientId));
    });
    const newKeyPackage = async (): Promise<Bytes> =>
      concat(
        KEY_PACKAGE_FRAME,
        new Uint8Array((await device.run((context) => context.generateKeyPackage(credential))).serialize()),
      );
    return {
      keyPackage: await newKeyPackage(),
      newKeyPackage,
      found: async () => {
        const id = new Conversation(crypto.getRandomValues(new Uint8Array(32)));
        await device.run((context) => context.createConversation(id, credential));
        return memberOf(device, id);
      },
      join: async (welcome) =>
        memberOf(device, await device.run((context) => context.processWelcomeMessage(new Welcome(welcome)))),
      joinExternally: async (groupInfo) => {
        await device.run((context) =>
          context.joinByExternalCommit(new GroupInfo(groupInfo.subarray(FRAME_BYTES)), credential),
        );
        return new Uint8Array(device.sent().commit);
      },
    };
  },
};
