/** What the application decides: authentication (RFC 9420 §5.3.1), lifetimes, policy, pre-shared keys, limits. */
import { describe } from "@coppice/kit";
import type { Bytes } from "./codec/bytes.ts";
import type { Credential } from "./identity/credential.ts";
import { sameCredential } from "./identity/credential.ts";
import type { ProposalTypeRules } from "./proposal/custom-proposal.ts";
import type { ErrorDetail, MlsErrorCode } from "./errors.ts";
import { CoppiceError } from "./errors.ts";
import type { Sender } from "./framing/framed-content.ts";
import type { Proposal } from "./framing/proposal.ts";
import type { Limits } from "./limits.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import type { Padding } from "./framing/padding.ts";
import { padme } from "./framing/padding.ts";
import type { PreSharedKeyId } from "./schedule/psk.ts";

/** When a credential is judged (R-5.3.1-2 to R-5.3.1-7). */
export type ValidationMoment = "key_package" | "group_info" | "add" | "update" | "commit" | "external_senders";

/** A credential with the key it is to be bound to. */
export interface Identity {
  readonly credential: Credential;
  readonly signatureKey: Bytes;
}

/** The Authentication Service of RFC 9750 §4, as far as a client asks it. */
export interface AuthenticationService {
  /**
   * Throws unless the identity is genuine and expected here. With `previous`, which it takes the place of and is the same identity as
   * (see `sameIdentity`), it must also be an acceptable successor (R-5.3.1-8). For an X.509 credential, genuine includes that the end entity's certificate has `signatureKey` (R-5.3-2),
   * which the core does not check; the service of `@coppice/x509` does.
   */
  readonly validate: (
    request: Identity & { moment: ValidationMoment; previous: Identity | undefined },
  ) => Promise<void>;
  /** Whether two leaves are the same client, beyond having the same signature key. Default: never. */
  readonly sameClient?: (a: Identity, b: Identity) => boolean;
  /**
   * Whether two credentials present the same identifier. A leaf keeps its identity: a credential takes the place of another one only
   * if they do (R-5.3.1-8), and members match by it when a group succeeds another one (R-11.3-3). Default: if they are equal byte for
   * byte, so that a credential that is renewed in other bytes needs this.
   */
  readonly sameIdentity?: (a: Credential, b: Credential) => boolean;
}

/** A proposal with who sent it. */
export interface SentProposal {
  readonly proposal: Proposal;
  readonly sender: Sender;
}

/**
 * The decisions that MLS leaves to the application. See `makeRules`. A hook that may refuse does so by throwing, and agrees by
 * resolving with undefined: one that resolves with `false`, or with anything else, refuses too.
 */
export interface Rules {
  readonly authentication: AuthenticationService;
  /** Seconds since 1970. */
  readonly now: () => bigint;
  readonly lifetime: {
    /**
     * Longest `not_after - not_before` of a key package, in seconds (R-7.2-8). Of every leaf, made or received, whether or not
     * the time is checked. For peers whose key packages never expire, `2n ** 64n`.
     */
    readonly maxSeconds: bigint;
    /** Whether the time must be within the lifetime of a received leaf (R-7.3-8); within that of one being sent it always must. */
    readonly checkOnReceive: boolean;
  };
  /**
   * Throws to refuse a list of proposals, made or received, as a whole: `ERR_MLS_POLICY` (R-12.2-15). When a Commit is made,
   * received proposals are left out until it agrees.
   */
  readonly allowProposals: (request: { proposals: readonly SentProposal[]; committer: Sender }) => Promise<void>;
  /**
   * Throws to refuse a proposal by a sender who is not a member, before it waits for a Commit: `ERR_MLS_POLICY` (R-12.1.8-4). A
   * Commit that covers a refused proposal cannot be followed, so all members have to decide alike. Default: those may propose whom
   * the group lists in `external_senders`; clients that ask to be added may not, since whoever knows group id and epoch can ask.
   */
  readonly allowOutsideProposal: (request: SentProposal) => Promise<void>;
  /** The value of a pre-shared key other than this group's own resumption PSKs; undefined if it is not known. */
  readonly findPsk: (id: PreSharedKeyId) => Promise<Uint8Array | undefined>;
  /** Types that this client supports beyond the default ones; what it advertises in capabilities. */
  readonly supportedExtensions: readonly number[];
  /** Proposal types beyond those of RFC 9420, which all members have to know: see `defineProposalType`. Default none. */
  readonly proposalTypes: readonly ProposalTypeRules[];
  /** How application messages are padded, to hide their length (R-15.1-1). Default `padme`. */
  readonly padding: Padding;
  readonly limits: Limits;
}

/** 84 days and an hour of clock skew. */
export const DEFAULT_MAX_LIFETIME_SECONDS: bigint = 84n * 86_400n + 3600n;

/**
 * Rules with safe defaults for all that is not given. An authentication service has no default: who may be who is for the
 * application to say.
 *
 * @example
 * ```ts run
 * import { DEFAULT_LIMITS, makeRules } from "@coppice/core";
 *
 * const rules = makeRules({
 *   authentication: { validate: () => Promise.resolve() }, // trusts everybody: ask your directory instead
 *   now: () => BigInt(Math.floor(Date.now() / 1000)),
 *   limits: { ...DEFAULT_LIMITS, treeLeaves: 1024 },
 * });
 * console.assert(rules.lifetime.checkOnReceive);
 * ```
 */
export function makeRules(given: Partial<Rules> & Pick<Rules, "authentication" | "now">): Rules {
  return {
    lifetime: { maxSeconds: DEFAULT_MAX_LIFETIME_SECONDS, checkOnReceive: true },
    allowProposals: () => Promise.resolve(),
    allowOutsideProposal: ({ sender }) =>
      sender.senderType === "external" ? Promise.resolve() : Promise.reject(new Error("no member asked for it")),
    findPsk: () => Promise.resolve(undefined),
    supportedExtensions: [],
    proposalTypes: [],
    padding: padme,
    limits: DEFAULT_LIMITS,
    ...given,
  };
}

/**
 * Asks the authentication service: `ERR_MLS_CREDENTIAL` if it throws, and if it resolves with anything.
 */
export async function validateCredential(
  rules: Rules,
  identity: Identity,
  moment: ValidationMoment,
  previous?: Identity,
): Promise<void> {
  const { credential, signatureKey } = identity;
  await ask(() => rules.authentication.validate({ credential, signatureKey, moment, previous }), {
    ...{ code: "ERR_MLS_CREDENTIAL", message: "the authentication service refused a credential" },
    ...{ requirement: previous === undefined ? "R-5.3.1-1" : "R-5.3.1-8", detail: { moment } },
  });
}

/** Whether two credentials are of one identity, by the application's way to tell or byte for byte. */
export function isSameIdentity({ authentication: { sameIdentity } }: Rules, a: Credential, b: Credential): boolean {
  return sameCredential(a, b) || (sameIdentity !== undefined && yesOrNo("sameIdentity", () => sameIdentity(a, b)));
}

/** `ERR_MLS_CREDENTIAL` unless a leaf keeps the identity of the one that it replaces (R-5.3.1-8). */
export function checkIdentityKept(rules: Rules, previous: Credential, next: Credential): void {
  if (isSameIdentity(rules, previous, next)) return;
  throw new CoppiceError("ERR_MLS_CREDENTIAL", "the credential is of another identity than the one that it replaces", {
    requirement: "R-5.3.1-8",
  });
}

const POLICY = { code: "ERR_MLS_POLICY", message: "the application's policy refused the proposals" } as const;

/** Asks the application's policy; whatever it throws becomes `ERR_MLS_POLICY` (R-12.2-15). */
export async function checkPolicy(
  rules: Rules,
  request: { readonly proposals: readonly SentProposal[]; readonly committer: Sender },
): Promise<void> {
  await ask(() => rules.allowProposals(request), { ...POLICY, requirement: "R-12.2-15" });
}

/** Asks it about a proposal that stands alone, unless a member sent it (R-12.1.8-4). */
export async function checkOutsidePolicy(rules: Rules, sent: SentProposal): Promise<void> {
  if (sent.sender.senderType === "member") return;
  await ask(() => rules.allowOutsideProposal(sent), { ...POLICY, requirement: "R-12.1.8-4" });
}

interface Refusal {
  readonly code: MlsErrorCode;
  readonly message: string;
  readonly requirement: string;
  readonly detail?: ErrorDetail;
}

/** A hook agrees by resolving with undefined and in no other way: `false` is no agreement, and neither is what one forgot to await. */
async function ask(hook: () => Promise<unknown>, { code, message, ...options }: Refusal): Promise<void> {
  let answer: unknown;
  try {
    answer = await hook();
  } catch (cause) {
    throw new CoppiceError(code, message, { ...options, cause });
  }
  if (answer === undefined) return;
  throw new CoppiceError(code, `${message}: it resolved with ${describe(answer)}, and only undefined agrees`, options);
}

/** What a hook says that is asked yes or no. `ERR_MLS_POLICY` for anything else: a promise would be taken for a yes. */
export function yesOrNo(name: string, hook: () => boolean): boolean {
  let answer: unknown;
  try {
    answer = hook();
  } catch (cause) {
    throw new CoppiceError("ERR_MLS_POLICY", `${name} failed`, { cause });
  }
  if (typeof answer === "boolean") return answer;
  throw new CoppiceError("ERR_MLS_POLICY", `${name} must return true or false, not ${describe(answer)}`);
}

/** The time of the application's clock. `TypeError` for what is no bigint: nothing is before or after NaN. */
export function secondsNow({ now }: Rules): bigint {
  const seconds: unknown = now();
  if (typeof seconds === "bigint") return seconds;
  throw new TypeError(`rules.now must return a bigint, not ${describe(seconds)}`);
}
