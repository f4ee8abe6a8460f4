/** The engine an application talks to: conversations over MLS, with delivery and persistence taken care of. */
export * from "./api.ts";
export type { Engine } from "./engine/engine.ts";
export { broadcastPeers, memoryPeers, type PeerMessage, type Peers } from "./engine/peers.ts";
export { checkName } from "./names.ts";
export { openClient, openEngine, type OpenEngineOptions } from "./open.ts";
export type { Pace } from "./pace.ts";
