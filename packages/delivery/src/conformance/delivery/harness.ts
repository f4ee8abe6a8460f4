/** What the cases for deliveries are written with: users, devices, groups and their logs. */
import { randomBytes, sleep, systemTime } from "@coppice/kit";
import type {
  ClientId,
  CommitOutcome,
  CommitSubmission,
  DeliveryEvent,
  DeliveryService,
  Identity,
  LogPosition,
} from "../../contract.ts";
import type { DeviceLogEntry } from "../../device-log/entry.ts";
import { at, show } from "../assert.ts";
import { createIdentity, type TestIdentity } from "../identity.ts";

/** Connects a client to the Delivery Service under test. */
export type Connect = (identity: Identity) => Promise<DeliveryService>;

/** One thing that must be so. */
export interface ConformanceCase {
  readonly title: string;
  readonly run: (connect: Connect) => Promise<void>;
}

/** A signed-in device. */
export interface Participant {
  readonly name: string;
  readonly client: ClientId;
  readonly identity: TestIdentity;
  readonly service: DeliveryService;
}

/** Runs a case body with one device of each of `count` new users; all services it connects are closed afterwards. */
export const withUsers =
  (count: number, body: (users: readonly Participant[], connect: Connect) => Promise<void>) =>
  async (connect: Connect): Promise<void> => {
    const services: DeliveryService[] = [];
    const tracked: Connect = async (identity) => {
      const service = await connect(identity);
      services.push(service);
      return service;
    };
    try {
      const users: Participant[] = [];
      for (let i = 0; i < count; i++) users.push(await signUp(tracked));
      await body(users, tracked);
    } finally {
      await Promise.all(services.map((service) => service.close()));
    }
  };

/** Registers a new user. */
export async function signUp(connect: Connect): Promise<Participant> {
  const identity = await createIdentity();
  const { client } = identity;
  return { name: client.user, client, identity, service: await connect(identity) };
}

/** The newest entry of a user's device log. */
export async function newestEntry({ name, service }: Participant): Promise<DeviceLogEntry> {
  const log = await service.readDeviceLog({ user: name, from: 0 });
  return at(log, log.length - 1);
}

/** Adds a second device to a user, and signs it in. */
export async function addDevice(connect: Connect, first: Participant): Promise<Participant> {
  const identity = await createIdentity({ user: first.name });
  const { client, key } = identity;
  const change = { action: "add", device: client.device, key } as const;
  await first.service.appendDeviceLog(await first.identity.extend(await newestEntry(first), change));
  return { name: first.name, client, identity, service: await connect(identity) };
}

/** A group as a case drives it. */
export interface TestGroup {
  readonly groupId: Uint8Array<ArrayBuffer>;
  readonly incarnation: string;
  /** The log's position after entry `seq`. */
  readonly after: (seq: number) => LogPosition;
}

/** A group of the first user to which the others were added by the first Commit (epoch 0, seq 1). */
export async function createTestGroup(creator: Participant, others: readonly Participant[] = []): Promise<TestGroup> {
  const groupId = randomBytes(32);
  const { incarnation } = await creator.service.createGroup({ groupId, groupInfo: randomBytes(40) });
  const group: TestGroup = { groupId, incarnation, after: (seq) => ({ incarnation, seq }) };
  if (others.length > 0) {
    const welcome = randomBytes(100);
    const added = others.map(({ client }) => ({ client, welcome }));
    await accept(creator.service.submitCommit(plainCommit(group, { epoch: 0n, added })));
  }
  return group;
}

/** A Commit with random bytes; it changes no readers unless `part` says so. */
export const plainCommit = (
  { groupId, after }: TestGroup,
  { seq = 0, ...part }: Partial<CommitSubmission> & { readonly epoch: bigint; readonly seq?: number },
): CommitSubmission => ({
  groupId,
  position: after(seq),
  commit: randomBytes(60),
  groupInfo: randomBytes(40),
  added: [],
  removed: [],
  ...part,
});

/** The `seq` of a Commit that has to be accepted. */
export async function accept(outcome: Promise<CommitOutcome>): Promise<number> {
  const settled = await outcome;
  if (!settled.accepted) throw new Error(`the Commit was not accepted: ${show(settled)}`);
  return settled.seq;
}

/** Sends messages of one epoch; 10 random bytes each unless they are given. */
export async function send(
  { service }: Participant,
  group: TestGroup,
  epoch: bigint,
  { seq = 0, messages = [randomBytes(10)] }: { readonly seq?: number; readonly messages?: readonly Uint8Array[] } = {},
): Promise<readonly number[]> {
  const { seqs } = await service.sendMessages({
    groupId: group.groupId,
    position: group.after(seq),
    messages: messages.map((message) => ({ epoch, message })),
  });
  return seqs;
}

/** The numbers of the entries of a page. */
export async function seqsAfter(
  { service }: Participant,
  group: TestGroup,
  seq: number,
  limit?: number,
): Promise<readonly number[]> {
  const { entries } = await service.readLog({
    groupId: group.groupId,
    after: group.after(seq),
    ...(limit === undefined ? {} : { limit }),
  });
  return entries.map((entry) => entry.seq);
}

/** How long an event may take, milliseconds. */
const EVENT_PATIENCE_MS = 5000;

/** Collects a client's events. */
export interface EventRecorder {
  readonly events: readonly DeliveryEvent[];
  /** Resolves once an event that fits has come, or rejects after five seconds. */
  waitFor(fits: (event: DeliveryEvent) => boolean, what: string): Promise<void>;
  release(): void;
}

export function recordEvents({ service }: Participant): EventRecorder {
  const events: DeliveryEvent[] = [];
  let wake = new AbortController();
  const release = service.subscribe((event) => {
    events.push(event);
    wake.abort();
    wake = new AbortController();
  });
  return {
    events,
    release,
    waitFor: async (fits, what) => {
      const end = systemTime.elapsed() + EVENT_PATIENCE_MS;
      while (!events.some(fits)) {
        const left = end - systemTime.elapsed();
        if (left <= 0) throw new Error(`no event: ${what}; got ${show(events)}`);
        await sleep(systemTime, left, wake.signal).catch(() => undefined);
      }
    },
  };
}
