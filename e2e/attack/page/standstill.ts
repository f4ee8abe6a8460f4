/**
 * Lets a worker stand still at a chosen moment: between two of its tasks, or right before it takes a lock, opens a
 * transaction, asks the server. Moments inside a task that a browser's own freezing never meets are left out. Must be
 * imported before anything that takes these functions from the platform.
 */

import { ORDERS, REPORTS, type Order, type Report } from "./standstill-orders.ts";

const reports = new BroadcastChannel(REPORTS);
const orders = new BroadcastChannel(ORDERS);
const report = reports.postMessage.bind(reports);
let order: Order | undefined;
let count = 0;

orders.onmessage = ({ data }: MessageEvent<Order>) => {
  if (data.worker !== self.name) return;
  order = data;
  count = 0;
};

/** Memory that nobody writes to: waiting on it blocks the thread. */
const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
const nothing = new Int32Array(buffer);

function moment(name: string): void {
  if (order === undefined) return;
  const standsStill = count++ === order.at;
  report({ worker: self.name, moment: name, standsStill } satisfies Report);
  if (standsStill) {
    const { milliseconds } = order;
    order = undefined;
    Atomics.wait(nothing, 0, 0, milliseconds);
  }
}

const { request } = LockManager.prototype;
LockManager.prototype.request = function (this: LockManager, name: string, ...rest: unknown[]) {
  const task = rest.pop() as (lock: Lock | null) => Promise<unknown>;
  moment("before asking for a lock");
  const held = async (lock: Lock | null): Promise<unknown> => {
    moment("holding a lock");
    try {
      return await task(lock);
    } finally {
      moment("before giving a lock back");
    }
  };
  return (request as (...given: unknown[]) => Promise<unknown>).call(this, name, ...rest, held);
};

const { transaction } = IDBDatabase.prototype;
IDBDatabase.prototype.transaction = function (this: IDBDatabase, ...given) {
  const mode = given[1] ?? "readonly";
  moment(`before a ${mode} transaction`);
  const made = transaction.apply(this, given);
  made.addEventListener("complete", () => {
    moment(`after a ${mode} transaction`);
  });
  return made;
};
const { commit } = IDBTransaction.prototype;
IDBTransaction.prototype.commit = function (this: IDBTransaction) {
  commit.call(this);
  moment(`committing a ${this.mode} transaction`);
};

const { fetch } = self;
self.fetch = async (...given) => {
  moment("before a request");
  const response = await fetch(...given);
  moment("with an answer");
  return response;
};
const { send } = WebSocket.prototype;
WebSocket.prototype.send = function (this: WebSocket, data) {
  moment("before a message to the socket");
  send.call(this, data as string);
  moment("after a message to the socket");
};
const { postMessage } = BroadcastChannel.prototype;
BroadcastChannel.prototype.postMessage = function (this: BroadcastChannel, message: unknown) {
  moment("before telling the other contexts");
  postMessage.call(this, message);
};
