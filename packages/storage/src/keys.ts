/** Keys of stores, for pages that make one and have the store elsewhere. */
export { keyFromPrf, type StoreKey } from "./indexeddb/root-key.ts";
