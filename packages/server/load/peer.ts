/** One client of the load: a keep-alive connection for calls, a WebSocket for events, and no more than that. */
import { request, type Agent } from "node:http";
import { buffer } from "node:stream/consumers";
import type { ClientId } from "@coppice/delivery";
import { createIdentity } from "@coppice/delivery/conformance";
import {
  clientFrame,
  createGroup,
  decode,
  decodeFailure,
  encode,
  EVENTS_PATH,
  MEDIA_TYPE,
  requestChallenge,
  sendMessages,
  serverFrame,
  signIn,
  signInMessage,
  submitCommit,
  type Call,
} from "@coppice/delivery/wire";
import { WebSocket } from "ws";

/** Told of each message that an event brings. */
export type OnMessage = (message: Uint8Array) => void;

export class Peer {
  readonly client: ClientId;
  readonly token: string;
  readonly #url: string;
  readonly #agent: Agent;
  #socket: WebSocket | undefined;

  private constructor(url: string, agent: Agent, client: ClientId, token: string) {
    this.#url = url;
    this.#agent = agent;
    this.client = client;
    this.token = token;
  }

  /** A new user that has signed in. */
  static async open(url: string, agent: Agent): Promise<Peer> {
    const identity = await createIdentity();
    const { client, suite, publicKey, register } = identity;
    const anonymous = new Peer(url, agent, client, "");
    const { nonce } = await anonymous.call(requestChallenge, { client, suite, publicKey });
    const statement = { audience: url, client, suite, publicKey, nonce };
    const signature = await identity.sign(signInMessage(statement));
    const { token } = await anonymous.call(signIn, { ...statement, signature, register });
    return new Peer(url, agent, client, token);
  }

  async call<Q, A>({ path, request: question, answer }: Call<Q, A>, value: Q): Promise<A> {
    const body = encode(question, value);
    const headers: Record<string, string | number> = { "content-type": MEDIA_TYPE, "content-length": body.length };
    if (this.token !== "") headers["authorization"] = `Bearer ${this.token}`;
    return new Promise((resolve, reject) => {
      const sent = request(`${this.#url}/${path}`, { method: "POST", agent: this.#agent, headers }, (response) => {
        buffer(response).then((content) => {
          if (response.statusCode === 200) resolve(decode(answer, new Uint8Array(content)));
          else reject(decodeFailure(new Uint8Array(content)));
        }, reject);
      });
      sent.on("error", reject).end(body);
    });
  }

  /** Signs the event connection in; resolves once events come. */
  listen(onMessage: OnMessage): Promise<void> {
    const socket = new WebSocket(`${this.#url.replace(/^http/, "ws")}/${EVENTS_PATH}`, { perMessageDeflate: false });
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      socket.on("error", reject);
      socket.on("open", () => {
        socket.send(encode(clientFrame, { type: "authenticate", token: this.token }));
      });
      socket.on("message", (data: Buffer) => {
        const frame = decode(serverFrame, new Uint8Array(data));
        if (frame.type === "ready") resolve();
        else if (frame.type === "ping") socket.send(encode(clientFrame, { type: "pong" }));
        else if (frame.type === "log" && frame.entry !== undefined) onMessage(frame.entry.message);
      });
    });
  }

  close(): void {
    this.#socket?.terminate();
  }
}

/** A group of peers that send. */
export interface Crowd {
  readonly members: readonly Peer[];
  /** Appends a message. */
  readonly send: (from: Peer, message: Uint8Array) => Promise<void>;
}

export async function makeCrowd(members: readonly Peer[], groupId: Uint8Array): Promise<Crowd> {
  const [creator, ...others] = members;
  if (creator === undefined) throw new RangeError("A group has a member");
  const { incarnation } = await creator.call(createGroup, { groupId, groupInfo: groupId });
  const position = { incarnation, seq: 0 };
  await creator.call(submitCommit, {
    groupId,
    position,
    epoch: 0n,
    commit: groupId,
    groupInfo: groupId,
    added: others.map(({ client }) => ({ client, welcome: groupId })),
    removed: [],
  });
  return {
    members,
    send: async (from, message) => {
      await from.call(sendMessages, { groupId, position, messages: [{ epoch: 1n, message }] });
    },
  };
}
