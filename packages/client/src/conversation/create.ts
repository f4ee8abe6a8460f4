/** New groups: stored first, known to the Delivery Service as soon as it can be reached. */
import { basicCredential, createGroup, diffGroupRecords, randomBytes, toHex } from "@coppice/core";
import type { Account } from "../account/account.ts";
import { startSession } from "../account/authentication.ts";
import { CAPABILITIES, lifetimeFrom } from "../account/key-packages.ts";
import { META, metaRecord, type Meta } from "../records/conversation.ts";
import { partitionOf } from "./held.ts";
import { withTitle } from "./intent.ts";

const NEW_GROUP: Meta = {
  cursor: 0,
  lastItem: 0,
  handedOver: 0,
  nextOutbox: 0,
  registered: false,
  joinedEpoch: 0n,
  invitedBy: undefined,
  welcome: undefined,
  leaving: false,
  problem: undefined,
};

export interface NewGroupOptions {
  readonly account: Account;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly signal: AbortSignal | undefined;
}

/** Creates a group of which this client is the only member, and returns the hex of its random id. */
export async function storeNewGroup(title: string, { account, clock, signal }: NewGroupOptions): Promise<string> {
  const { suite, signer } = account;
  const { rules } = await startSession(account, clock);
  const groupId = randomBytes(suite.hash.Nh);
  const state = await createGroup({
    suite,
    rules,
    credential: basicCredential(account.name),
    signer,
    capabilities: CAPABILITIES,
    lifetime: lifetimeFrom(clock),
    groupId,
    extensions: withTitle([], title),
  });
  const id = toHex(groupId);
  const put = new Map<string, Uint8Array>(diffGroupRecords(undefined, state).put);
  put.set(META, metaRecord.encode(NEW_GROUP));
  const write = { partition: partitionOf(id), expectedVersion: 0, put };
  await account.store.write([write], signal === undefined ? {} : { signal });
  return id;
}
