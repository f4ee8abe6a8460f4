/** The engine without a worker: for service workers, extensions' backgrounds and Node. */
export {
  type AccountOptions,
  changeKeyHere,
  type ChangeKeyOptions,
  createMemoryStore,
  type EngineParts,
  openHere,
  type OpenHereOptions,
  type Store,
  wipeHere,
} from "@coppice/worker/direct";
