/** Under which origins clients reach this server: the audiences that a sign-in may be signed for. */
import { hostname, networkInterfaces } from "node:os";

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** How a host is written in a URL. */
export const urlHost = (host: string): string => (host.includes(":") ? `[${host}]` : host);

/**
 * The origins of a plain HTTP server on `host` and `port`: its own names and addresses, never what a request claims. A
 * server that trusted the request's `Host` would accept sign-ins that were meant for, and passed on by, another one.
 */
export function originsOf(host: string, port: number): readonly string[] {
  const everywhere = host === "0.0.0.0" || host === "::";
  const addresses = Object.values(networkInterfaces()).flatMap((entries = []) =>
    entries.filter(({ scopeid }) => scopeid === undefined || scopeid === 0).map(({ address }) => urlHost(address)),
  );
  const hosts = everywhere ? [...LOOPBACK, hostname(), ...addresses] : [urlHost(host), ...LOOPBACK];
  return hosts.map((name) => new URL(`http://${name}:${String(port)}`).origin);
}

/** An origin as URLs have it. `TypeError` for anything that is more or less than an origin. */
export function parseOrigin(text: string): string {
  if (text === "*") {
    throw new TypeError(
      '"*" is not an origin: name each origin whose pages may use this server, such as https://chat.example',
    );
  }
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new TypeError(`"${text}" is not an origin: write it like https://chat.example`, { cause });
  }
  // Origins of extensions ("chrome-extension://…") are opaque to the URL standard.
  const origin = url.origin === "null" ? `${url.protocol}//${url.host}` : url.origin;
  if (text !== origin) throw new TypeError(`"${text}" is not an origin: did you mean ${origin}?`);
  return origin;
}
