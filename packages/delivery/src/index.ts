export * from "./contract.ts";
export { connectDelivery, type ConnectDeliveryOptions } from "./http/connect.ts";
export type { WebSocketConstructor } from "./http/event-stream.ts";
export {
  createMemoryDelivery,
  MemoryNetwork,
  type CallName,
  type EventMode,
  type MemoryDelivery,
  type MemoryDeliveryService,
  type MemoryFault,
} from "./memory.ts";
