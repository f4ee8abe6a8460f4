/** The contract over any transport that carries calls: what HTTP and the in-memory service have in common. */
import { Scope } from "@coppice/kit";
import type { DeliveryCallOptions, DeliveryEvent, DeliveryService } from "./contract.ts";
import { deliveryError } from "./errors.ts";
import type { Call } from "./wire/call.ts";
import * as wire from "./wire/calls.ts";
import { decode, encode, type Bytes } from "./wire/codec.ts";

/** What a transport does for `deliveryService`. */
export interface Transport {
  /** Carries an encoded request to the server and its encoded answer back; ends early when `signal` aborts. */
  send(call: Pick<Call<unknown, unknown>, "name" | "path">, request: Bytes, signal: AbortSignal): Promise<Bytes>;
  subscribe(listener: (event: DeliveryEvent) => void): () => void;
  /** Called once. */
  close(): void;
}

/** The error of calls after `close`. */
export const closedError = (): Error =>
  deliveryError("ERR_DS_CLOSED", "This client of the Delivery Service was closed: connect again");

/** Builds a `DeliveryService` on a transport: argument order, defaults, abort and close. */
export function deliveryService(transport: Transport): DeliveryService {
  const scope = new Scope();

  const call = async <Q, A>(to: Call<Q, A>, request: Q, { signal }: DeliveryCallOptions = {}): Promise<A> => {
    scope.throwIfEnded();
    signal?.throwIfAborted();
    const controller = new AbortController();
    const work = roundTrip(to, request, (body) => transport.send(to, body, controller.signal));
    try {
      return await scope.run(work, signal);
    } catch (error) {
      controller.abort(error);
      throw error;
    }
  };

  return {
    publishKeyPackages: ({ keyPackages, lastResort, replace = false }, options) =>
      call(wire.publishKeyPackages, { keyPackages, lastResort, replace }, options),
    countKeyPackages: async (options) => (await call(wire.countKeyPackages, undefined, options)).count,
    claimKeyPackages: (users, options) => call(wire.claimKeyPackages, { users }, options),
    readDeviceLog: (query, options) => call(wire.readDeviceLog, query, options),
    appendDeviceLog: (entry, options) => call(wire.appendDeviceLog, entry, options),
    createGroup: (group, options) => call(wire.createGroup, group, options),
    submitCommit: (submission, options) => call(wire.submitCommit, submission, options),
    sendMessages: (batch, options) => call(wire.sendMessages, batch, options),
    readLog: ({ groupId, after, limit = 256 }, options) => call(wire.readLog, { groupId, after, limit }, options),
    readGroups: (query, options) => call(wire.readGroups, query, options),
    readGroupInfo: (groupId, options) => call(wire.readGroupInfo, { groupId }, options),
    readInbox: (options) => call(wire.readInbox, undefined, options),
    acknowledgeInbox: (id, options) => call(wire.acknowledgeInbox, { id }, options),
    subscribe: (listener) => {
      scope.throwIfEnded();
      return transport.subscribe(listener);
    },
    close: () => {
      if (!scope.ended) {
        scope.end(closedError());
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
export async function roundTrip<Q, A>(call: Call<Q, A>, request: Q, send: (body: Bytes) => Promise<Bytes>): Promise<A> {
  const answer = await send(encode(call.request, request));
  try {
    return decode(call.answer, answer);
  } catch (error) {
    throw deliveryError("ERR_DS_INTERNAL", "The Delivery Service sent a malformed answer", { cause: error });
  }
}
