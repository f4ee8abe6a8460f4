/** What it takes to open an engine, wherever it runs. */
import { describe } from "@coppice/kit";
import type { StoreKey } from "@coppice/storage";
import type { AccountRequest, KeyChange, OpenRequest } from "./protocol.ts";

/** Which account. */
export interface AccountOptions {
  /** The name to sign in with. It is registered on first use. */
  readonly name: string;
  /** URL of the Delivery Service, `http:` or `https:`; in a page it may be relative. */
  readonly server: string | URL;
  /**
   * Name of the database that keeps this account. Every script of the origin can see it, so it should not name a
   * person. Default: derived from server and name, so that each account has its own.
   */
  readonly database?: string;
}

export interface EngineOptions extends AccountOptions {
  /** What protects the data at rest. Default: a key that the browser keeps and never reveals, `{ kind: "device" }`. */
  readonly key?: StoreKey;
}

export interface ChangeKeyOptions extends AccountOptions {
  /** The key that protects the data now. Default: `{ kind: "device" }`. */
  readonly from?: StoreKey;
  /** The key that is to protect them. */
  readonly to: StoreKey;
}

/** The account as plain data. `TypeError` for options that make no sense. */
export function accountOf(options: AccountOptions): AccountRequest {
  const given: unknown = options;
  if (typeof given !== "object" || given === null) {
    throw new TypeError(`Options are expected, { name, server }, not ${describe(given)}`);
  }
  const { name, server, database } = options;
  if (typeof name !== "string" || name === "")
    throw new TypeError("The option name must be a string that is not empty");
  if (database !== undefined && (typeof database !== "string" || database === "")) {
    throw new TypeError("The option database must be a string that is not empty");
  }
  return { name, server: absoluteUrl(server), database };
}

/** The change as plain data. `TypeError` for options that make no sense. */
export function keyChange(options: ChangeKeyOptions): KeyChange {
  const { from = { kind: "device" }, to } = options;
  if (typeof to !== "object")
    throw new TypeError('The option to must be a key, such as { kind: "passphrase", passphrase }');
  return { ...accountOf(options), from, to };
}

/** The options as plain data. `TypeError` for options that make no sense. */
export function openRequest(options: EngineOptions): OpenRequest {
  return { ...accountOf(options), key: options.key };
}

function absoluteUrl(server: string | URL | undefined): string {
  // The DOM library declares a location that workers' blobs and Node do not have.
  const { location } = globalThis as { readonly location?: { readonly href: string } };
  const url = typeof server === "string" || server instanceof URL ? parseUrl(server, location?.href) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new TypeError("The option server must be the URL of the Delivery Service, such as https://chat.example");
  }
  return url.href;
}

function parseUrl(url: string | URL, base: string | undefined): URL | undefined {
  try {
    return new URL(url, base);
  } catch {
    return undefined;
  }
}
