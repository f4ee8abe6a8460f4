/** The request to open an engine as it crosses the boundary. */
import type { StoreKey } from "@coppice/storage";
import { MAX_TEXT, type OpenRequest } from "../protocol.ts";
import { oneOf, optional, record, text } from "./primitives.ts";

/** `TypeError` for anything that is not such a request. */
export function parseOpenRequest(value: unknown): OpenRequest {
  const request = record(value);
  return {
    name: short(request["name"]),
    server: short(request["server"]),
    database: optional(request["database"], short),
    key: optional(request["key"], parseStoreKey),
  };
}

function parseStoreKey(value: unknown): StoreKey {
  const source = record(value);
  const kind = oneOf(source["kind"], ["device", "passphrase", "application"]);
  switch (kind) {
    case "device":
      return { kind };
    case "passphrase":
      return { kind, passphrase: short(source["passphrase"]) };
    case "application": {
      const { key } = source;
      if (!(key instanceof CryptoKey)) throw new TypeError("a CryptoKey is expected");
      return { kind, key };
    }
  }
}

const short = (value: unknown): string => text(value, MAX_TEXT);
