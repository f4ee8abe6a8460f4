/** What the conformance cases are written with: identities, groups and assertions without a test runner. */
import { isCoppiceError, type CoppiceError } from "@coppice/core";
import type { DeliveryErrorCode, DeliveryEvent, DeliveryService, Identity } from "../contract.ts";

/** Connects a client to the Delivery Service under test. */
export type Connect = (identity: Identity) => Promise<DeliveryService>;

/** One thing that must be so. */
export interface ConformanceCase {
  readonly title: string;
  readonly run: (connect: Connect) => Promise<void>;
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** `length` random bytes: contents that no other case uses. */
export const randomBytes = (length: number): Uint8Array<ArrayBuffer> =>
  globalThis.crypto.getRandomValues(new Uint8Array(length));

/** A name that no other case uses. */
export const uniqueName = (prefix: string): string => `${prefix}-${hex(randomBytes(8))}`;

/** A new Ed25519 identity for tests. */
export async function createIdentity(user: string = uniqueName("user")): Promise<Identity> {
  const { subtle } = globalThis.crypto;
  const { publicKey, privateKey } = await subtle.generateKey("Ed25519", false, ["sign", "verify"]);
  return {
    user,
    publicKey: new Uint8Array(await subtle.exportKey("raw", publicKey)),
    sign: async (challenge) => new Uint8Array(await subtle.sign("Ed25519", privateKey, new Uint8Array(challenge))),
  };
}

/** A signed-in user. */
export interface Participant {
  readonly name: string;
  readonly service: DeliveryService;
}

/** Runs a case body with `count` new users, whose services are closed afterwards. */
export const withUsers =
  (count: number, body: (users: readonly Participant[]) => Promise<void>) =>
  async (connect: Connect): Promise<void> => {
    const users: Participant[] = [];
    try {
      for (let i = 0; i < count; i++) {
        const identity = await createIdentity();
        users.push({ name: identity.user, service: await connect(identity) });
      }
      await body(users);
    } finally {
      await Promise.all(users.map(({ service }) => service.close()));
    }
  };

/** The user at `index`, who exists by construction of the case. */
export function at<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new Error(`nothing at index ${String(index)} of ${String(values.length)}`);
  return value;
}

/** A group of the first user to which the others were added by the first commit (epoch 0, seq 1). */
export async function createTestGroup(
  creator: Participant,
  others: readonly Participant[] = [],
): Promise<Uint8Array<ArrayBuffer>> {
  const groupId = randomBytes(32);
  await creator.service.createGroup(groupId);
  if (others.length > 0) {
    const welcome = randomBytes(100);
    const added = others.map(({ name }) => ({ user: name, welcome }));
    await creator.service.submitCommit({ groupId, epoch: 0n, commit: randomBytes(50), added, removed: [] });
  }
  return groupId;
}

/** Compares plain data, byte strings by content. */
export function assertEqual(actual: unknown, expected: unknown, what: string): void {
  const shown = [actual, expected].map(show);
  if (shown[0] !== shown[1]) throw new Error(`${what}: expected ${String(shown[1])}, got ${String(shown[0])}`);
}

function show(value: unknown): string {
  if (value instanceof Uint8Array) return `bytes(${hex(value)})`;
  if (typeof value === "bigint") return `${String(value)}n`;
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value)
      .map(([key, field]) => `${key}: ${show(field)}`)
      .sort()
      .join(", ")}}`;
  }
  return String(value);
}

/** Awaits the rejection with this code. */
export async function assertRejects(work: Promise<unknown>, code: DeliveryErrorCode): Promise<CoppiceError> {
  let outcome: unknown;
  try {
    outcome = await work;
  } catch (error) {
    if (isCoppiceError(error, code)) return error;
    throw new Error(`expected ${code}, got ${String(error)}`, { cause: error });
  }
  throw new Error(`expected ${code}, but the call resolved with ${show(outcome)}`);
}

/** Collects a client's events. */
export interface EventRecorder {
  readonly events: readonly DeliveryEvent[];
  /** Resolves once an event that fits has come, or rejects after five seconds. */
  waitFor(fits: (event: DeliveryEvent) => boolean, what: string): Promise<void>;
  release(): void;
}

export function recordEvents(service: DeliveryService): EventRecorder {
  const events: DeliveryEvent[] = [];
  const waiting = new Set<() => void>();
  const release = service.subscribe((event) => {
    events.push(event);
    for (const check of [...waiting]) check();
  });
  return {
    events,
    release,
    waitFor: (fits, what) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (!events.some(fits)) return;
          clearTimeout(timer);
          waiting.delete(check);
          resolve();
        };
        const timer = setTimeout(() => {
          waiting.delete(check);
          reject(new Error(`no event: ${what}; got ${show(events)}`));
        }, 5000);
        waiting.add(check);
        check();
      }),
  };
}
