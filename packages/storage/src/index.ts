/** Where clients keep their state: the contract, and stores in memory and in IndexedDB. */
export type {
  PartitionChanges,
  PartitionSnapshot,
  PartitionWrite,
  RecordRange,
  Store,
  StoreCallOptions,
  StoreChange,
  StoreErrorCode,
} from "./contract.ts";
export { deleteIndexedDbStore, type DeleteStoreOptions } from "./indexeddb/database.ts";
export {
  changeStoreKey,
  type ChangeStoreKeyOptions,
  type IndexedDbStoreOptions,
  openIndexedDbStore,
} from "./indexeddb/open.ts";
export { keyFromPrf, type StoreKey } from "./indexeddb/root-key.ts";
export {
  createMemoryDatabase,
  createMemoryStore,
  type MemoryDatabase,
  type MemoryStoreOptions,
} from "./memory-store.ts";
export { MAX_NAME_LENGTH } from "./names.ts";
export { MAX_RANGES, oneRecord } from "./range.ts";
export { MAX_RECORD_BYTES, MAX_WRITE_BYTES, MAX_WRITE_RECORDS } from "./write-plan.ts";
