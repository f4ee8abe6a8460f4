/** The engine without a worker: for service workers, extensions' backgrounds and Node. */
export {
  createMemoryStore,
  openHere,
  type OpenHereOptions,
  type EngineParts,
  type Store,
} from "@coppice/worker/direct";
