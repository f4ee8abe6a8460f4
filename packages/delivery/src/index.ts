export * from "./contract-entry.ts";
export { connectDelivery, type ConnectDeliveryOptions } from "./http/connect.ts";
export type { WebSocketConstructor } from "./http/socket.ts";
export { normalServerUrl } from "./http/url.ts";
export { MemoryNetwork, type CallName, type EventMode, type MemoryFault } from "./memory/network.ts";
export {
  createMemoryDelivery,
  type MemoryDelivery,
  type MemoryDeliveryOptions,
  type MemoryDeliveryService,
} from "./memory/service.ts";
export type { MemorySnapshot } from "./memory/store.ts";
export type { DomainLimits } from "./domain/limits.ts";
