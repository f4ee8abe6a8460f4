/** The calls of the wire format, bound to a domain: what a host does with a body once it knows whose it is. */
import type { ClientId } from "../contract.ts";
import type { Call } from "../wire/call.ts";
import * as wire from "../wire/calls.ts";
import { decode, encode, type Bytes } from "../wire/codec.ts";
import type { DeliveryDomain } from "./domain.ts";

/** A call as a host carries it out. */
export interface HostCall {
  readonly name: string;
  /** Relative, below the server's URL. */
  readonly path: string;
  /** Decodes the request, carries it out and encodes the answer; rejects with an error of the contract. */
  readonly run: (client: ClientId, request: Uint8Array) => Promise<Bytes>;
}

/** Binds a call to what carries it out. */
export function hostCall<Q, A>(call: Call<Q, A>, carryOut: (client: ClientId, request: Q) => Promise<A>): HostCall {
  return {
    name: call.name,
    path: call.path,
    run: async (client, request) => encode(call.answer, await carryOut(client, decode(call.request, request))),
  };
}

/** All calls of clients that have signed in, but for polling, which is the host's. */
export function hostCalls(domain: DeliveryDomain): readonly HostCall[] {
  return [
    hostCall(wire.publishKeyPackages, (client, batch) => domain.publishKeyPackages(client, batch)),
    hostCall(wire.countKeyPackages, (client) => domain.countKeyPackages(client)),
    hostCall(wire.claimKeyPackages, (_client, query) => domain.claimKeyPackages(query)),
    hostCall(wire.readDeviceLog, (_client, query) => domain.readDeviceLog(query)),
    hostCall(wire.appendDeviceLog, (client, entry) => domain.appendDeviceLog(client, entry)),
    hostCall(wire.createGroup, (client, group) => domain.createGroup(client, group)),
    hostCall(wire.submitCommit, (client, submission) => domain.submitCommit(client, submission)),
    hostCall(wire.sendMessages, (client, batch) => domain.sendMessages(client, batch)),
    hostCall(wire.readLog, (client, query) => domain.readLog(client, query)),
    hostCall(wire.readGroups, (client, query) => domain.readGroups(client, query)),
    hostCall(wire.readGroupInfo, (client, query) => domain.readGroupInfo(client, query)),
    hostCall(wire.readInbox, (client) => domain.readInbox(client)),
    hostCall(wire.acknowledgeInbox, (client, query) => domain.acknowledgeInbox(client, query)),
  ];
}
