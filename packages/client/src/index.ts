/** The engine an application talks to: conversations over MLS, with delivery and persistence taken care of. */
export * from "./api.ts";
export { openClient, type OpenClientOptions } from "./open.ts";
export type { Pace } from "./waiting.ts";
