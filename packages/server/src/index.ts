export { createServer, type CoppiceServer, type ServerOptions } from "./server.ts";
export { DEFAULT_LIMITS, type Rate, type ServerLimits } from "./limits.ts";

/** Codes that `createServer` throws, besides those of the Delivery Service contract. */
export type ServerErrorCode =
  | "ERR_DS_DATABASE_BUSY" // another process has the database open
  | "ERR_DS_DATABASE_NEWER" // a newer version wrote the database
  | "ERR_DS_BACKUP" // a file that cannot be made a backup, or is none
  | "ERR_DS_DATABASE_OLD"; // an unreleased version wrote the database: begin with an empty one
