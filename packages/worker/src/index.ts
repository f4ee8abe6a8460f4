/** The engine behind a worker: what a page loads. The engine itself is in `worker.ts`; `direct.ts` runs it in place. */
export type {
  CallOptions,
  Client,
  ClientErrorCode,
  ClientEvents,
  Conversation,
  ConversationEvents,
  ConversationSnapshot,
  ConversationStatus,
  DeliveryState,
  HistoryItem,
  ListenOptions,
  Member,
  MembersPage,
  Problem,
  PruneQuery,
  Unsubscribe,
} from "@coppice/client";
export {
  CoppiceError,
  type CoppiceErrorOptions,
  type ErrorCode,
  type ErrorDetail,
  isCoppiceError,
  type MlsErrorCode,
} from "@coppice/kit";
export type { DeliveryErrorCode } from "@coppice/delivery";
export type { StoreErrorCode, StoreKey } from "@coppice/storage";
export type { WorkerErrorCode } from "./errors.ts";
export type { AccountOptions, ChangeKeyOptions, EngineOptions } from "./options.ts";
export {
  changeKeyInWorker,
  type ChangeKeyInWorkerOptions,
  openInWorker,
  type OpenInWorkerOptions,
  wipeInWorker,
  type WipeInWorkerOptions,
  type WorkerOptions,
} from "./page.ts";
export type { EngineWorker } from "./spawn.ts";
