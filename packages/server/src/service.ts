/** What each call does: the calls of the wire format, bound to the store. */
import {
  acknowledgeInbox,
  claimKeyPackages,
  countKeyPackages,
  createGroup,
  deliveryError,
  isValidName,
  publishKeyPackages,
  readInbox,
  readLog,
  requestChallenge,
  sendMessage,
  signIn,
  submitCommit,
} from "@coppice/delivery/wire";
import type { Time } from "@coppice/kit";
import { Challenges } from "./auth/challenges.ts";
import type { Database } from "./database/database.ts";
import type { EventHub } from "./events/hub.ts";
import { TokenBuckets } from "./guard/token-buckets.ts";
import type { Api } from "./http/api.ts";
import type { ServerLimits } from "./limits.ts";
import type { Accounts } from "./store/accounts.ts";
import { Groups, type Appended } from "./store/groups.ts";
import { Inbox } from "./store/inbox.ts";
import { KeyPackages } from "./store/key-packages.ts";

/** The parts that the calls need. */
export interface ServiceParts {
  readonly api: Api;
  readonly accounts: Accounts;
  readonly database: Database;
  readonly hub: EventHub;
  readonly limits: ServerLimits;
  readonly time: Time;
  /** Origins that a sign-in may be signed for; known once the server listens. */
  readonly audiences: ReadonlySet<string>;
}

/** Registers all calls. */
export function registerCalls(parts: ServiceParts): void {
  registerSignIn(parts);
  registerKeyPackages(parts);
  registerGroups(parts);
}

function registerSignIn({ api, accounts, limits, time, audiences }: ServiceParts): void {
  const challenges = new Challenges({ lifetime: limits.challengeLifetime, time });
  const signIns = new TokenBuckets(limits.signInsPerAddress, time);
  const registrations = new TokenBuckets(limits.registrationsPerAddress, time);

  api.open(requestChallenge, ({ user, publicKey }) => {
    if (!isValidName(user)) throw deliveryError("ERR_DS_NAME_INVALID", "the name is not allowed");
    return { nonce: challenges.issue(user, publicKey) };
  });
  api.open(signIn, async (request, address) => {
    signIns.take(address);
    await challenges.redeem(request, audiences);
    return accounts.signIn(request.user, request.publicKey, () => {
      registrations.take(address);
    });
  });
}

function registerKeyPackages({ api, accounts, database, limits, time }: ServiceParts): void {
  const keyPackages = new KeyPackages(database, accounts, limits, () => time.now());
  const byPair = new TokenBuckets(limits.claimsPerPair, time);
  const byClaimer = new TokenBuckets(limits.claimsPerUser, time);

  api.signedIn(publishKeyPackages, (user, { keyPackages: batch, lastResort }) => {
    for (const content of [...batch, ...(lastResort === undefined ? [] : [lastResort])]) requireSize(content, limits);
    keyPackages.publish(user, batch, lastResort);
  });
  api.signedIn(countKeyPackages, (user) => ({ count: keyPackages.count(user) }));
  api.signedIn(claimKeyPackages, (user, { users }) => {
    requireUsers(users.length, limits);
    byClaimer.take(String(user), users.length);
    for (const name of users) byPair.take(`${String(user)} ${name}`, 1, { user: name });
    return keyPackages.claim(users);
  });
}

function registerGroups({ api, accounts, database, hub, limits, time }: ServiceParts): void {
  const clock = (): number => time.now();
  const inbox = new Inbox(database, limits, clock);
  const groups = new Groups({ database, accounts, inbox, limits, clock });
  const announce = (groupId: Uint8Array, { seq, readers, invited }: Appended): { readonly seq: number } => {
    hub.publish(invited, { type: "inbox" });
    hub.publish(new Set([...readers, ...invited]), { type: "log", groupId: new Uint8Array(groupId), seq });
    return { seq };
  };

  api.signedIn(createGroup, (user, { groupId }) => {
    groups.create(user, groupId);
  });
  api.signedIn(submitCommit, (user, submission) => {
    requireUsers(submission.added.length + submission.removed.length, limits);
    requireSize(submission.commit, limits);
    for (const { welcome } of submission.added) requireSize(welcome, limits);
    return announce(submission.groupId, groups.commit(user, submission));
  });
  api.signedIn(sendMessage, (user, { groupId, epoch, message }) => {
    requireSize(message, limits);
    return announce(groupId, groups.send(user, groupId, epoch, message));
  });
  api.signedIn(readLog, (user, { groupId, after, limit }) => groups.readLog(user, groupId, after, limit));
  api.signedIn(readInbox, (user) => inbox.read(user));
  api.signedIn(acknowledgeInbox, (user, { id }) => {
    inbox.acknowledge(user, id);
  });
}

function requireSize(content: Uint8Array, { messageBytes }: ServerLimits): void {
  if (content.length > messageBytes) {
    throw deliveryError("ERR_DS_TOO_LARGE", `a message may have ${String(messageBytes)} bytes`);
  }
}

function requireUsers(count: number, { usersPerRequest }: ServerLimits): void {
  if (count > usersPerRequest) {
    throw deliveryError("ERR_DS_TOO_LARGE", `a request may name ${String(usersPerRequest)} users`);
  }
}
