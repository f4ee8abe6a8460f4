/** The contract of a blob store, for attachments: opaque ciphertext under unguessable ids. */
import type { DeliveryCallOptions } from "./contract.ts";

/** Where a client puts what is too large for a message. A blob never changes; its id authorises reading it. */
export interface BlobStore {
  /** Starts or continues an upload at `offset` (bytes already stored). Resolves with the bytes stored so far. */
  put(
    upload: { readonly id: string; readonly offset: number; readonly size: number; readonly bytes: Uint8Array },
    options?: DeliveryCallOptions,
  ): Promise<{ readonly stored: number }>;
  /** Bytes from `from` (included) to `to` (excluded). `ERR_DS_UNKNOWN_BLOB`. */
  get(
    range: { readonly id: string; readonly from: number; readonly to: number },
    options?: DeliveryCallOptions,
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** Only the uploader may. Deleting what does not exist is no error. */
  delete(id: string, options?: DeliveryCallOptions): Promise<void>;
}
