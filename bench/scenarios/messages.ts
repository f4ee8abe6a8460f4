/** Application messages: bytes in, bytes out, beside ts-mls and the bare signature operation that each needs. */
import type { GroupState } from "@coppice/core";
import { createApplicationMessage, erase, processMessage } from "@coppice/core";
import * as tsMls from "ts-mls";
import type { Operation, Scenario } from "../src/scenario.ts";
import { foundGroup, RULES } from "./coppice-group.ts";
import { bytes } from "./inputs.ts";
import { foundTsMlsGroup } from "./ts-mls-group.ts";

const { subtle } = globalThis.crypto;

/** Sends and receives in turn over one pair of states. */
interface Channel {
  readonly send: (data: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;
  readonly open: (message: Uint8Array) => Promise<Uint8Array>;
}

async function coppiceChannel(): Promise<Channel> {
  const { creator, joiner } = await foundGroup();
  let sending: GroupState = creator.state;
  let receiving: GroupState = joiner.state;
  return {
    send: async (data) => {
      const sent = await createApplicationMessage(sending, data, { rules: RULES, signer: creator.signer });
      sending = sent.state;
      erase(...sent.consumed);
      return sent.message;
    },
    open: async (message) => {
      const received = await processMessage(receiving, message, { rules: RULES });
      receiving = received.state;
      erase(...received.consumed);
      if (received.kind !== "application") throw new Error("not an application message");
      return received.data;
    },
  };
}

async function tsMlsChannel(): Promise<Channel> {
  const { suite, creator, joiner } = await foundTsMlsGroup();
  let [sending, receiving] = [creator, joiner];
  return {
    send: async (data) => {
      const sent = await tsMls.createApplicationMessage(sending, data, suite);
      sending = sent.newState;
      sent.consumed.forEach(tsMls.zeroOutUint8Array);
      return tsMls.encodeMlsMessage({
        privateMessage: sent.privateMessage,
        wireformat: "mls_private_message",
        version: "mls10",
      });
    },
    open: async (message) => {
      const decoded = tsMls.decodeMlsMessage(message, 0)?.[0];
      if (decoded?.wireformat !== "mls_private_message") throw new Error("not a private message");
      const received = await tsMls.processPrivateMessage(receiving, decoded.privateMessage, tsMls.emptyPskIndex, suite);
      receiving = received.newState;
      received.consumed.forEach(tsMls.zeroOutUint8Array);
      if (received.kind === "newState") throw new Error("not an application message");
      return received.message;
    },
  };
}

/** Opening uses messages up, so they are sent beforehand, untimed, in order. */
function opener(channel: Channel, data: Uint8Array<ArrayBuffer>): { prepare: (times: number) => Promise<Operation> } {
  return {
    prepare: async (times) => {
      const messages: Uint8Array[] = [];
      for (let i = 0; i < times; i++) messages.push(await channel.send(data));
      return (index) => channel.open(messages[index] ?? new Uint8Array(0));
    },
  };
}

async function checkChannels(channels: readonly Channel[], data: Uint8Array<ArrayBuffer>): Promise<void> {
  for (const channel of channels) {
    const opened = await channel.open(await channel.send(data));
    if (opened.join() !== data.join()) throw new Error("a contestant does not open what it sent");
  }
}

export const messageScenarios: readonly Scenario[] = [
  {
    name: "message: send",
    sizes: [100],
    sizeUnit: "bytes",
    reference: "bare signature",
    setup: async (size) => {
      const data = bytes(size);
      const [coppice, peer] = await Promise.all([coppiceChannel(), tsMlsChannel()]);
      await checkChannels([coppice, peer], data);
      const keys = await subtle.generateKey("Ed25519", false, ["sign", "verify"]);
      if (!("privateKey" in keys)) throw new Error("no Ed25519 here");
      const signature = (): Promise<ArrayBuffer> => subtle.sign("Ed25519", keys.privateKey, data);
      return {
        coppice: () => coppice.send(data),
        peers: { "bare signature": signature, "ts-mls 1.6.4": () => peer.send(data) },
      };
    },
  },
  {
    name: "message: open",
    sizes: [100],
    sizeUnit: "bytes",
    reference: "bare verification",
    setup: async (size) => {
      const data = bytes(size);
      const [coppice, peer] = await Promise.all([coppiceChannel(), tsMlsChannel()]);
      await checkChannels([coppice, peer], data);
      const keys = await subtle.generateKey("Ed25519", true, ["sign", "verify"]);
      if (!("privateKey" in keys)) throw new Error("no Ed25519 here");
      const publicKey = await subtle.exportKey("raw", keys.publicKey);
      const signature = await subtle.sign("Ed25519", keys.privateKey, data);
      const verification = async (): Promise<boolean> => {
        const key = await subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
        return subtle.verify("Ed25519", key, signature, data);
      };
      return {
        coppice: opener(coppice, data),
        peers: { "bare verification": verification, "ts-mls 1.6.4": opener(peer, data) },
      };
    },
  },
];
