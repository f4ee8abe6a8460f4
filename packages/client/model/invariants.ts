/** What must be true of every state, and what must come of every state in which somebody runs. */
import type { Promised } from "./explore.ts";
import type { Conversation, LogEntry, State } from "./state.ts";

export function violation({ store, server, witness }: State): string | undefined {
  const { wire, highest, entered, refused, acknowledged } = witness;
  const keys = wire.map((text) => text.slice(0, text.indexOf(":")));
  const twice = keys.find((key, i) => keys.indexOf(key) !== i);
  if (twice !== undefined)
    return `a key was used twice: ${wire.filter((text) => text.startsWith(`${twice}:`)).join(" and ")}`;
  if (highest === -1) return "a version of the partition came twice";
  const again = entered.find((number, i) => entered.indexOf(number) !== i);
  if (again !== undefined) return `Welcome ${again} let this device in twice: its keys are used twice`;
  const lost = acknowledged.find((number) => !entered.includes(number) && !refused.includes(number));
  if (lost !== undefined) return `Welcome ${lost} was acknowledged and is not stored`;
  const shown = shownTwice(server.log);
  if (shown !== undefined) return `peers show ${shown} twice`;
  if (store.conversation?.status === "rolled back") return "a sound state takes itself for one that was rolled back";
  return lostMessage(store.conversation, server.log, witness.accepted);
}

/** Peers drop a message if they have one of its id and either says that it was sealed again. */
function shownTwice(log: readonly LogEntry[]): string | undefined {
  const seen: { readonly id: string; readonly resent: boolean }[] = [];
  for (const entry of log) {
    if (entry.kind !== "message") continue;
    const { id, resent } = entry.sealed;
    const message = id.replaceAll("'", "");
    const isShown = !seen.some((other) => other.id === id && (resent || other.resent));
    if (isShown && seen.some((other) => other.id.replaceAll("'", "") === message)) return message;
    seen.push({ id, resent });
  }
  return undefined;
}

/** What `send` accepted is `sent` and in the log, or waits to be posted, or is reported as `failed`. */
function lostMessage(
  conversation: Conversation | undefined,
  log: readonly LogEntry[],
  accepted: readonly string[],
): string | undefined {
  for (const id of accepted) {
    const state = conversation?.items.find(([item]) => item === id)?.[1];
    const isPosted = log.some((entry) => entry.kind === "message" && entry.sealed.id === id);
    const isWaiting = conversation?.outbox.some((entry) => entry.id === id) === true;
    if (state === undefined) return `${id} was accepted and is not in the history`;
    if (state === "sent" && !isPosted) return `${id} is shown as sent and was not posted`;
    if (state === "sending" && !isWaiting) return `${id} is shown as sending and does not wait to be posted`;
  }
  return undefined;
}

const running = ({ contexts }: State): State["contexts"] => contexts.filter(({ life }) => life === "running");

export const promises: readonly Promised<State>[] = [
  {
    name: "a context runs, and what was begun cannot be finished",
    isKept: (state) => {
      const { store, server } = state;
      const alive = running(state);
      if (alive.length === 0) return true;
      const { conversation } = store;
      const waits =
        conversation?.status === "active" && (conversation.outbox.length > 0 || conversation.pending !== undefined);
      return (
        !waits && server.inbox.length === 0 && alive.every(({ call, turn }) => call === undefined && turn === undefined)
      );
    },
  },
  {
    name: "a context runs, and its call waits for the network",
    isKept: (state) => running(state).every(({ call }) => call?.kind !== "send" && call?.kind !== "forget"),
  },
];
