/** The engine without a worker: for service workers, extensions' backgrounds and Node. */
export {
  type AccountOptions,
  createMemoryStore,
  type EngineParts,
  openHere,
  type OpenHereOptions,
  type Store,
  wipeHere,
} from "@coppice/worker/direct";
