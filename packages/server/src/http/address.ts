/** Which address a request counts for. */
import type { IncomingMessage } from "node:http";
import { isIPv6 } from "node:net";

/** The key that limits by address use for a request. */
export function addressOf(request: IncomingMessage, trustProxy: boolean): string {
  const forwarded = request.headers["x-forwarded-for"];
  // A proxy appends the address it saw; what stands before that is the client's own claim.
  const claimed = trustProxy && typeof forwarded === "string" ? /[^,\s]*\s*$/.exec(forwarded)?.[0].trim() : undefined;
  return addressKey(claimed ?? request.socket.remoteAddress);
}

/** The key of an IP address. An IPv6 user has a whole /64, so that is what counts. */
export function addressKey(address = "unknown"): string {
  if (!isIPv6(address)) return address;
  const embedded = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return embedded ?? firstGroups(address, 4);
}

/** The first `count` of the eight groups, with `::` written out. */
function firstGroups(address: string, count: number): string {
  const [head = "", tail] = address.split("%")[0]?.split("::") ?? [];
  const groups = (part: string | undefined): string[] => (part === undefined || part === "" ? [] : part.split(":"));
  const missing = tail === undefined ? 0 : 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array<string>(Math.max(0, missing)).fill("0"), ...groups(tail)];
  return all.slice(0, count).join(":");
}
