/** What it takes to open an engine, wherever it runs. */
import type { StoreKey } from "@coppice/storage";
import type { OpenRequest } from "./protocol.ts";

export interface EngineOptions {
  /** The name to sign in with: 1 to 64 characters. It is registered on first use. */
  readonly name: string;
  /** URL of the Delivery Service, `http:` or `https:`; in a page it may be relative. */
  readonly server: string | URL;
  /**
   * Name of the database that keeps this account. Every script of the origin can see it, so it should not name a
   * person. Default: derived from server and name, so that each account has its own.
   */
  readonly database?: string;
  /** What protects the data at rest. Default: a key that the browser keeps and never reveals, `{ kind: "device" }`. */
  readonly key?: StoreKey;
}

/** The options as plain data. `TypeError` for options that make no sense. */
export function openRequest({ name, server, database, key }: EngineOptions): OpenRequest {
  if (typeof name !== "string" || name === "") throw new TypeError("name must be a string that is not empty");
  if (database === "") throw new TypeError("database must not be empty");
  return { name, server: absoluteUrl(server), database, key };
}

function absoluteUrl(server: string | URL): string {
  // The DOM library declares a location that workers' blobs and Node do not have.
  const { location } = globalThis as { readonly location?: { readonly href: string } };
  const url = new URL(server, location?.href);
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new TypeError("server must be an http or https URL");
  return url.href;
}
