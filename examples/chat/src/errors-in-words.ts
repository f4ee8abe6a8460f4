/** Every error code as a sentence for the person at the screen: what happened and what to do about it. */
import {
  isCoppiceError,
  type ClientErrorCode,
  type DeliveryErrorCode,
  type ErrorDetail,
  type MlsErrorCode,
  type StoreErrorCode,
  type WorkerErrorCode,
} from "coppice";
import { isolate } from "./wording.ts";

/** The codes that have words of their own. */
export type KnownErrorCode = MlsErrorCode | StoreErrorCode | DeliveryErrorCode | ClientErrorCode | WorkerErrorCode;

type Words = string | ((detail: ErrorDetail) => string);

const forgedOrDamaged = "It was damaged or forged and has been ignored. If it keeps happening, compare safety numbers.";

/** `satisfies` makes a code without words a type error. */
const wordsByCode = {
  ERR_MLS_DECODE: `What arrived is not a valid message. ${forgedOrDamaged}`,
  ERR_MLS_VERSION: "Someone uses a version of the protocol that this app does not know. Reload to get the newest app.",
  ERR_MLS_SIGNATURE: `Its sender could not be confirmed. ${forgedOrDamaged}`,
  ERR_MLS_MAC: `It did not come from a member of this group. ${forgedOrDamaged}`,
  ERR_MLS_AEAD: "It could not be decrypted. Ask the sender to send it again.",
  ERR_MLS_CONFIRMATION:
    "This device and the others disagree about the group. Compare safety numbers; if they differ, ask to be removed and added again.",
  ERR_MLS_EPOCH: "This belongs to an older or newer state of the group and cannot be used now. Try again.",
  ERR_MLS_SENDER: `Someone sent something they are not allowed to send. ${forgedOrDamaged}`,
  ERR_MLS_LEAF_NODE: "A member's entry in the group is not valid, so the change was refused.",
  ERR_MLS_KEY_PACKAGE: "The keys of the person you are adding are not valid. Ask them to open the app, then try again.",
  ERR_MLS_CREDENTIAL: "A member's identity could not be accepted, so the change was refused.",
  ERR_MLS_CAPABILITIES: "A member's app is too old for this. Ask them to update it, then try again.",
  ERR_MLS_PROPOSAL: "This change to the group is not valid and was refused.",
  ERR_MLS_PROPOSAL_LIST: "These changes to the group contradict each other and were refused. Try them one at a time.",
  ERR_MLS_PROPOSAL_REF: "A change refers to something this device has not received. Wait a moment and try again.",
  ERR_MLS_UPDATE_PATH: "A member's new keys are not valid, so the change was refused.",
  ERR_MLS_TREE: "The group's list of keys is not valid. Ask someone in the group to invite you again.",
  ERR_MLS_PSK: "A shared secret that this group asks for is missing on this device.",
  ERR_MLS_WELCOME: "An invitation could not be opened. Ask for a new one.",
  ERR_MLS_GROUP_INFO: "The description of a group is not valid. Ask someone in the group to invite you again.",
  ERR_MLS_REPLAY: "It arrived a second time and was ignored. You need not do anything.",
  ERR_MLS_ECHO: "Your own message came back and was ignored. You need not do anything.",
  ERR_MLS_LIMIT: "It goes beyond what this device accepts, so it was refused. Ask for it in smaller parts.",
  ERR_MLS_STATE: "That is not possible right now. Wait until the current change is finished, then try again.",
  ERR_MLS_NOT_LOADED: "Part of the data on this device was not at hand. Try again; if it fails again, reload the page.",
  ERR_MLS_POLICY: "The rules of this app do not allow that.",
  ERR_MLS_CRYPTO: "This browser's cryptography failed or lacks something. Update the browser, then reload.",

  ERR_STORE_CONFLICT: "Another tab changed this at the same moment. Try again.",
  ERR_STORE_CLOSED: "This tab has closed its storage. Reload the page.",
  ERR_STORE_QUOTA: "This device has no room left, so nothing was saved. Free some space, then try again.",
  ERR_STORE_WRONG_KEY: "The data on this device belongs to another key and cannot be opened. Nothing was deleted.",
  ERR_STORE_NEWER_SCHEMA: "The data on this device was written by a newer version of the app. Reload to get it.",
  ERR_STORE_OLD_SCHEMA:
    "The data on this device was written before the first release and cannot be used. Clear this site’s data to start anew.",
  ERR_STORE_BLOCKED: "An older version of the app is open in another tab. Close the other tabs, then reload.",
  ERR_STORE_CORRUPT: "Some of the data on this device is damaged. What can still be read was left as it is.",
  ERR_STORE_UNAVAILABLE:
    "This browser does not let the app store data. Leave private mode or allow site data, then reload.",
  ERR_STORE_LOST: "The data of this app was deleted from this device while it was open. Reload the page.",
  ERR_STORE_IO: "This device could not save or read data. Try again; if it fails again, restart the browser.",

  ERR_DS_UNREACHABLE: "The server cannot be reached. Check your connection and try again.",
  ERR_DS_CLOSED: "The connection was closed. Reload the page.",
  ERR_DS_UNAUTHENTICATED: "The server no longer knows this session. Reload the page to sign in again.",
  ERR_DS_SIGN_IN: "The server did not accept this device's proof of who you are. Reload the page and try again.",
  ERR_DS_NAME_TAKEN: "Someone else has this name, or you use it in another browser. Choose another name.",
  ERR_DS_NAME_INVALID: ({ reason }) => invalidName("This name", reason),
  ERR_DS_FORBIDDEN: "You are not a member of this group, so the server refused.",
  ERR_DS_UNKNOWN_USER: ({ user }) =>
    `${typeof user === "string" ? `Nobody is called ${quote(user)}` : "Nobody has this name"}. Check the spelling; they must have signed in once.`,
  ERR_DS_GROUP_EXISTS: "This group exists already. Try again.",
  ERR_DS_NO_KEY_PACKAGE: ({ user }) =>
    `${typeof user === "string" ? quote(user) : "This person"} cannot be added until they open the app again. Ask them to, then try again.`,
  ERR_DS_EPOCH_TOO_OLD: "The group has moved on since this was encrypted. It is encrypted again and sent.",
  ERR_DS_LOG_CHANGED: "The server has another past of this group than this device saw. It catches up by itself.",
  ERR_DS_DEVICE_LOG: "The list of devices on the server does not fit. Reload the page and try again.",
  ERR_DS_TOO_LARGE: "That is more than the server accepts. Send it in smaller parts.",
  ERR_DS_RATE_LIMITED: ({ retryAfter }) =>
    `That was too fast for the server. Try again in ${typeof retryAfter === "number" ? seconds(retryAfter) : "a moment"}.`,
  ERR_DS_QUOTA: ({ user }) =>
    typeof user === "string"
      ? `Too much is waiting for ${quote(user)} on the server. Ask them to open the app, then try again.`
      : "Your share of the server is used up. Leave groups you no longer need, then try again.",
  ERR_DS_BAD_REQUEST: "The server did not understand this app. Reload to get the newest app.",
  ERR_DS_INTERNAL: "The server failed. Try again in a while.",

  ERR_CLIENT_CLOSED: "You have signed out in this tab. Reload the page to sign in.",
  ERR_CLIENT_UNKNOWN_CONVERSATION: "This group is no longer on this device.",
  ERR_CLIENT_NOT_ACTIVE: "You are no longer part of this group, so nothing can be sent or changed.",
  ERR_CLIENT_ALREADY_MEMBER: ({ user }) =>
    `${typeof user === "string" ? quote(user) : "This person"} is in the group already.`,
  ERR_CLIENT_NOT_A_MEMBER: ({ user }) =>
    `${typeof user === "string" ? quote(user) : "This person"} is not in the group.`,
  ERR_CLIENT_NAME_INVALID: ({ reason }) => invalidName("One of the names", reason),
  ERR_CLIENT_EMPTY_MESSAGE: "Write something first.",
  ERR_CLIENT_MESSAGE_TOO_LARGE: "A message can have at most 64 KiB. Shorten it or send it in parts.",
  ERR_CLIENT_TITLE_KEY: "This device cannot rename the group. Ask another member to do it.",
  ERR_CLIENT_TITLE_TOO_LONG: "This group name is too long. Choose a shorter one.",
  ERR_CLIENT_UNKNOWN_ITEM: "This message has already been sent or discarded.",
  ERR_CLIENT_CONFLICT: "Others kept changing the group at the same moment. Wait a little, then try again.",
  ERR_CLIENT_QUEUE_FULL: "Too much is waiting in this page already. Wait until some of it is done.",
  ERR_CLIENT_NO_ACCOUNT: "There is no account on this device that could be backed up.",
  ERR_CLIENT_NO_BACKUP: "This file is no backup of an account. Choose another one.",
  ERR_CLIENT_ROLLED_BACK:
    "This browser’s data was put back to an earlier state. The app joins its groups again under new keys before it sends anything.",
  ERR_CLIENT_DEVICE_LOG: ({ user }) =>
    `The server told a different story about the devices of ${typeof user === "string" ? quote(user) : "someone"} than before. Nothing was accepted. Compare safety numbers before you go on.`,
  ERR_CLIENT_CLOCK: "The clock of this device has jumped. Check its date and time.",
  ERR_CLIENT_WAITING: "Another tab held things up for too long and was passed by. Nothing is lost.",
  ERR_CLIENT_LOG_CHANGED:
    "The server has another past of this group than this device saw; it was probably restored from a backup. The app joins again by itself.",
  ERR_CLIENT_LISTENER: "This page made a mistake while it handled an event. Reload it if something looks wrong.",
  ERR_CLIENT_INTERNAL: "Something went wrong that should not. Reload the page; nothing you sent is lost.",
  ERR_CLIENT_WRONG_ACCOUNT: ({ user }) =>
    typeof user === "string"
      ? `This browser holds the account ${quote(user)}. Sign in with that name.`
      : "This browser holds the account of another name. Sign in with that name.",

  ERR_WORKER_DIED:
    "The part of this page that keeps your keys did not load or has stopped. Check that the server can be reached, then try again.",
  ERR_WORKER_NOT_LOADED: "A part of this app could not be loaded. Check that the server can be reached, then reload.",
  ERR_WORKER_INTERNAL: "Something went wrong that should not. Reload the page; nothing you sent is lost.",
  ERR_WORKER_MESSAGE: "A message inside this page was lost. Reload the page.",
  ERR_WORKER_CLOSED: "You have signed out in this tab. Reload the page to sign in.",
  ERR_WORKER_VERSION: "This page was updated while it was open. Reload it.",
  ERR_WORKER_UNSUPPORTED: "This browser cannot run workers here. Try a current browser outside private mode.",
} as const satisfies Record<KnownErrorCode, Words>;

/** All codes with words, for tests. */
export const knownErrorCodes: readonly string[] = Object.keys(wordsByCode);

/** The sentence for a code; codes this app does not know get a general one that names the code. */
export function codeInWords(code: string, detail: ErrorDetail = {}): string {
  if (!isKnown(code)) return `Something went wrong (${code}). Try again; if it fails again, reload the page.`;
  const words: Words = wordsByCode[code];
  return typeof words === "string" ? words : words(detail);
}

/** The sentence for anything that was thrown. */
export function errorInWords(error: unknown): string {
  if (isCoppiceError(error)) return codeInWords(error.code, error.detail);
  return "Something unexpected went wrong. Try again; if it fails again, reload the page.";
}

function isKnown(code: string): code is KnownErrorCode {
  return Object.hasOwn(wordsByCode, code);
}

function quote(name: string): string {
  return `“${isolate(name)}”`;
}

function invalidName(what: string, reason: ErrorDetail[string] | undefined): string {
  return `${what} cannot be used${typeof reason === "string" ? `: ${reason}` : ""}. Names have 1 to 64 letters, digits and signs of one script, in lower case.`;
}

function seconds(count: number): string {
  const whole = Math.max(1, Math.ceil(count));
  return whole === 1 ? "1 second" : `${whole} seconds`;
}
