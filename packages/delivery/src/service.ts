/** The contract over any transport that carries calls: what HTTP and the in-memory service have in common. */
import type { CoppiceError } from "@coppice/core";
import type { DeliveryCallOptions, DeliveryEvent, DeliveryService } from "./contract.ts";
import { deliveryError } from "./errors.ts";
import * as wire from "./wire/calls.ts";
import { decode, encode, type Bytes } from "./wire/codec.ts";

/** What a transport needs to know about a call. */
export type CallAddress = Pick<wire.Call<unknown, unknown>, "name" | "path">;

/** What a transport does for `deliveryService`. */
export interface Transport {
  /** Carries an encoded request to the server and its encoded answer back; ends early when `signal` aborts. */
  send(call: CallAddress, request: Bytes, signal: AbortSignal): Promise<Bytes>;
  subscribe(listener: (event: DeliveryEvent) => void): () => void;
  /** Called once. */
  close(): void;
}

/** Builds a `DeliveryService` on a transport: argument order, defaults, abort and close. */
export function deliveryService(transport: Transport): DeliveryService {
  // One controller per call: hundreds of calls listening to one signal would look like a leak to Node.
  const underWay = new Set<AbortController>();
  let closed: CoppiceError | undefined;
  const requireOpen = (): void => {
    if (closed !== undefined) throw closed;
  };

  const call = async <Q, A>(to: wire.Call<Q, A>, request: Q, { signal }: DeliveryCallOptions = {}): Promise<A> => {
    requireOpen();
    signal?.throwIfAborted();
    const controller = new AbortController();
    const abort = (): void => {
      controller.abort(signal?.reason);
    };
    underWay.add(controller);
    signal?.addEventListener("abort", abort);
    try {
      const work = roundTrip(to, request, (body) => transport.send(to, body, controller.signal));
      return await settleOnAbort(work, controller.signal);
    } finally {
      signal?.removeEventListener("abort", abort);
      underWay.delete(controller);
    }
  };

  return {
    publishKeyPackages: ({ keyPackages, lastResort }, options) =>
      call(wire.publishKeyPackages, { keyPackages, lastResort }, options),
    countKeyPackages: async (options) => (await call(wire.countKeyPackages, undefined, options)).count,
    claimKeyPackages: (users, options) => call(wire.claimKeyPackages, { users }, options),
    createGroup: (groupId, options) => call(wire.createGroup, { groupId }, options),
    submitCommit: (submission, options) => call(wire.submitCommit, submission, options),
    sendMessage: (message, options) => call(wire.sendMessage, message, options),
    readLog: ({ groupId, after, limit = 256 }, options) => call(wire.readLog, { groupId, after, limit }, options),
    readInbox: (options) => call(wire.readInbox, undefined, options),
    acknowledgeInbox: (id, options) => call(wire.acknowledgeInbox, { id }, options),
    subscribe: (listener) => {
      requireOpen();
      return transport.subscribe(listener);
    },
    close: () => {
      if (closed === undefined) {
        closed = deliveryError("ERR_DS_CLOSED", "this client of the Delivery Service was closed");
        for (const controller of underWay) controller.abort(closed);
        transport.close();
      }
      return Promise.resolve();
    },
  };
}

/**
 * Encodes the request at once, so that later changes to its arrays change nothing, sends it and decodes the answer.
 * `ERR_DS_INTERNAL` for a malformed answer.
 */
export async function roundTrip<Q, A>(
  call: wire.Call<Q, A>,
  request: Q,
  send: (body: Bytes) => Promise<Bytes>,
): Promise<A> {
  const answer = await send(encode(call.request, request));
  try {
    return decode(call.answer, answer);
  } catch (error) {
    throw deliveryError("ERR_DS_INTERNAL", "the Delivery Service sent a malformed answer", { cause: error });
  }
}

/** Settles like `work`, or rejects with the signal's reason as soon as it aborts. */
export function settleOnAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      // An abort reason is whatever the caller gave.
      reject(signal.reason as Error);
    };
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", abort);
    });
  });
}
