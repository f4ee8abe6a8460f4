/** New groups: stored first, known to the Delivery Service as soon as it can be reached. */
import { createGroup, toHex } from "@coppice/core";
import { randomBytes } from "@coppice/kit";
import { ownCredential, withFetchedLogs } from "../account/authentication.ts";
import { CAPABILITIES, lifetimeFrom } from "../account/key-packages.ts";
import type { Shared } from "./context.ts";
import { membershipWrite } from "./membership.ts";
import { newTitleKey, withTitle } from "./title.ts";

/** Creates a group of which this client is the only member, and returns the hex of its random id. */
export async function storeNewGroup(
  title: string,
  { account, people, time, recovery }: Shared,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { suite, signer } = account;
  const groupId = randomBytes(suite.hash.Nh);
  const titleKey = newTitleKey(suite);
  const extensions = await withTitle([], title, { suite, groupId, key: titleKey });
  const state = await withFetchedLogs({ people, time, signal }, (rules) =>
    createGroup({
      ...{ suite, rules, signer, groupId },
      credential: ownCredential(account),
      capabilities: CAPABILITIES,
      lifetime: lifetimeFrom(time),
      extensions,
    }),
  );
  const id = toHex(groupId);
  const membership = {
    state,
    title,
    titleKey,
    position: undefined,
    items: [],
    invitedBy: undefined,
    recovery: recovery(),
  };
  await account.store.write([membershipWrite(id, membership, undefined)], signal && { signal });
  return id;
}
