/** The rules of delivery over a store: for servers. */
export { bytesKey, clientKey } from "./client-key.ts";
export { DeliveryDomain, type DomainOptions } from "./domain.ts";
export type { SignIn } from "./directory.ts";
export { DEFAULT_DOMAIN_LIMITS, type DomainLimits } from "./limits.ts";
export type { Notice } from "./notice.ts";
export type * from "./store.ts";
export { ENTRY_OVERHEAD_BYTES } from "./store.ts";
export { MemoryDomainStore, type MemorySnapshot } from "../memory/store.ts";
export { hostCall, hostCalls, type HostCall } from "./host-calls.ts";
export { EventHub, type Subscriber } from "../events/hub.ts";
export { Polls } from "../events/polls.ts";
