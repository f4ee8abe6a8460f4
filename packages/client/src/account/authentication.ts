/** The Authentication Service (RFC 9420 §5.3.1) of this client: names are pinned to the key first seen with them. */
import {
  equalBytes,
  makeRules,
  type AuthenticationService,
  type Bytes,
  type Credential,
  type Rules,
} from "@coppice/core";
import { isName } from "../names.ts";
import type { PinRecord } from "../records/account.ts";
import type { Account, AccountContents } from "./account.ts";

/** Group context extension with the title: UTF-8, private use (RFC 9420 §17.3). */
export const TITLE_EXTENSION = 0xf0c1;

/** Days that a key package may be used. */
export const KEY_PACKAGE_DAYS = 30n;
export const CLOCK_SKEW_SECONDS = 3600n;

/** The rules of one operation, with the names that it saw first. */
export interface Session {
  readonly rules: Rules;
  /** The version of the account that the session judges by. */
  readonly accountVersion: number;
  /** To be written together with the operation, if the account still has that version. */
  readonly newPins: readonly PinRecord[];
}

/**
 * A session judges with the pins known now. What it sees first counts as pinned within the session, and for good once
 * `newPins` is stored.
 */
export async function startSession(account: Account, clock: () => number): Promise<Session> {
  return sessionOf(account, await account.known(), clock);
}

/** A session that judges with given contents. */
export function sessionOf(account: Account, { version, pins: known }: AccountContents, clock: () => number): Session {
  const fresh = new Map<string, Bytes>();
  const authentication: AuthenticationService = {
    // Rejections must be promises: core awaits them.
    // eslint-disable-next-line @typescript-eslint/require-await
    validate: async ({ credential, signatureKey, moment }) => {
      const name = nameOf(credential);
      const pinned = name === account.name ? account.signer.publicKey : (known.get(name) ?? fresh.get(name));
      if (pinned === undefined) fresh.set(name, signatureKey);
      else if (!equalBytes(pinned, signatureKey)) throw new Error(`another key than before (${moment})`);
    },
    sameClient: (a, b) => equalBytes(identityOf(a.credential), identityOf(b.credential)),
  };
  return {
    rules: makeRules({
      authentication,
      now: () => BigInt(Math.floor(clock() / 1000)),
      // Leaves stay in the tree for as long as their members do not commit, so only new ones must be within their time.
      lifetime: { maxSeconds: KEY_PACKAGE_DAYS * 86_400n + 2n * CLOCK_SKEW_SECONDS, checkOnReceive: false },
      supportedExtensions: [TITLE_EXTENSION],
    }),
    accountVersion: version,
    get newPins() {
      return [...fresh].map(([name, signatureKey]) => ({ name, signatureKey }));
    },
  };
}

function identityOf(credential: Credential): Bytes {
  if (credential.credentialType !== 1) throw new Error("only basic credentials are used here");
  return credential.identity;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The name in a credential that this client accepts. */
export function nameOf(credential: Credential): string {
  const name = decoder.decode(identityOf(credential));
  if (!isName(name)) throw new Error("the credential's identity is not a name");
  return name;
}

/** The title in the extensions of a group context; empty if there is none. */
export function titleOf(
  extensions: readonly { readonly extensionType: number; readonly extensionData: Bytes }[],
): string {
  const data = extensions.find(({ extensionType }) => extensionType === TITLE_EXTENSION)?.extensionData;
  if (data === undefined) return "";
  return new TextDecoder().decode(data.subarray(0, 512));
}
