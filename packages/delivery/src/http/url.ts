/** One way to write down which server is meant. */

const EXAMPLE = "for example https://chat.example";

/**
 * The one normal form of a server's URL: the same server gives the same text, however its URL is written. Scheme and host
 * are in lower case, the default port is left out, the path ends with a slash; query and fragment belong to a page, not to a
 * server, and are dropped.
 *
 * @example
 * ```ts run
 * import { normalServerUrl } from "@coppice/delivery";
 *
 * console.assert(normalServerUrl("HTTPS://Chat.Example:443/?v=2#/chat/7") === "https://chat.example/");
 * ```
 *
 * @throws `TypeError`, in words, for what is no absolute `http:` or `https:` URL, and for one that holds a password.
 */
export function normalServerUrl(server: string | URL): string {
  const given: unknown = server;
  if (given === undefined || given === null || given === "") {
    throw new TypeError(`The server's URL is missing: give one, ${EXAMPLE}`);
  }
  if (typeof given !== "string" && !(given instanceof URL)) {
    throw new TypeError(`The server's URL must be a string or a URL, not a ${typeof given}: give one, ${EXAMPLE}`);
  }
  const url = parse(String(given).trim());
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new TypeError(`The server's URL must begin with https:// or http://, not ${url.protocol}`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new TypeError("The server's URL holds a user name or password: sign in by an identity instead");
  }
  const path = url.pathname
    .replace(/%[0-9a-f]{2}/gi, (escape) => escape.toUpperCase())
    .replace(/\/+/g, "/")
    .replace(/\/?$/, "/");
  return url.origin + path;
}

function parse(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw new TypeError(`The server's URL must be absolute: give one, ${EXAMPLE}`);
  }
}
