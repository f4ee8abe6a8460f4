/** What each call does: signing in here, the rest in the domain. */
import { hostCall, hostCalls, type DeliveryDomain, type Polls } from "@coppice/delivery/domain";
import { claimKeyPackages, decode, encode, pollEvents, requestChallenge, signIn } from "@coppice/delivery/wire";
import type { Time } from "@coppice/kit";
import { Challenges } from "./auth/challenges.ts";
import type { Sessions } from "./auth/sessions.ts";
import { TokenBuckets } from "./guard/token-buckets.ts";
import type { Api } from "./http/api.ts";
import type { ServerLimits } from "./limits.ts";

/** The parts that the calls need. */
export interface CallParts {
  readonly api: Api;
  readonly domain: DeliveryDomain;
  readonly sessions: Sessions;
  readonly polls: Polls;
  readonly limits: ServerLimits;
  readonly time: Time;
  /** Origins that a sign-in may be signed for; complete once the server listens. */
  readonly audiences: ReadonlySet<string>;
}

/** Registers all calls. */
export function registerCalls(parts: CallParts): void {
  const { api, domain } = parts;
  registerSignIn(parts);
  for (const { path, run } of hostCalls(domain)) api.signedIn(path, run);
  registerClaims(parts);
  registerPolls(parts);
}

function registerSignIn({ api, domain, sessions, limits, time, audiences }: CallParts): void {
  const challenges = new Challenges({ lifetime: limits.challengeLifetime, time });
  const signIns = new TokenBuckets(limits.signInsPerAddress, time);
  const registrations = new TokenBuckets(limits.registrationsPerAddress, time);

  // Whoever asks learns nothing; the name is looked at when the answer comes.
  api.open(requestChallenge, (claimant) => Promise.resolve({ nonce: challenges.issue(claimant) }));
  api.open(signIn, async (request, address) => {
    signIns.take(address);
    await challenges.redeem(request, audiences);
    const { client, suite, publicKey, register } = request;
    return sessions.signIn(client, () =>
      domain.signIn({
        client,
        key: { suite, publicKey: new Uint8Array(publicKey) },
        register,
        beforeRegistration: () => {
          registrations.take(address);
        },
      }),
    );
  });
}

/** Claims count by pair and by claimer, whether they succeed or not: a directory is drained by asking often. */
function registerClaims({ api, domain, limits, time }: CallParts): void {
  const byPair = new TokenBuckets(limits.claimsPerPair, time);
  const byClaimer = new TokenBuckets(limits.claimsPerUser, time);
  const { path, run } = hostCall(claimKeyPackages, async ({ user: claimer }, { users }) => {
    byClaimer.take(claimer, users.length);
    for (const user of users) byPair.take(JSON.stringify([claimer, user]), 1, { user });
    return domain.claimKeyPackages({ users });
  });
  api.signedIn(path, run);
}

function registerPolls({ api, polls }: CallParts): void {
  api.signedIn(pollEvents.path, async (client, body, signal) => {
    const request = decode(pollEvents.request, body);
    return encode(pollEvents.answer, await polls.poll(client, request, signal));
  });
}
