/** New groups: stored first, known to the Delivery Service as soon as it can be reached. */
import { createGroup, toHex } from "@coppice/core";
import { randomBytes } from "@coppice/kit";
import { fetchingRules, ownCredential } from "../account/authentication.ts";
import { CAPABILITIES, lifetimeFrom } from "../account/key-packages.ts";
import type { Shared } from "./context.ts";
import { withTitle } from "./intent.ts";
import { membershipWrite } from "./membership.ts";

/** Creates a group of which this client is the only member, and returns the hex of its random id. */
export async function storeNewGroup(
  title: string,
  { account, people, time, recovery }: Shared,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { suite, signer } = account;
  const groupId = randomBytes(suite.hash.Nh);
  const state = await createGroup({
    suite,
    rules: fetchingRules(people, time, signal),
    credential: ownCredential(account),
    signer,
    capabilities: CAPABILITIES,
    lifetime: lifetimeFrom(time),
    groupId,
    extensions: withTitle([], title),
  });
  const id = toHex(groupId);
  const membership = { state, position: undefined, items: [], invitedBy: undefined, recovery: recovery() };
  await account.store.write([membershipWrite(id, membership, undefined)], signal && { signal });
  return id;
}
