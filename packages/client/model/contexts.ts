/** What contexts do beside turns and work: they hear of writes, lead, are asked by the application; are killed, frozen and woken. */
import type { Step } from "./explore.ts";
import { announced, spend, step, withContext, withOthers, withStored, withWitness, type Move } from "./steps.ts";
import type { Call, Context, State } from "./state.ts";

/** A context that was just opened. */
export function opened({ version, conversation }: State["store"]): Context {
  return {
    life: "running",
    known: conversation && { version, conversation },
    ...{ isUncertain: false, isTold: false, holdsLock: false, isCaughtUp: false },
    ...{ turn: undefined, call: undefined, leads: "no", work: { at: "rest" } },
  };
}

const follows = (state: State, who: number, context: Context): State => {
  const { version, conversation } = state.store;
  const known = conversation && { version, conversation };
  const call = known === undefined && context.known !== undefined ? undefined : context.call;
  return withContext(state, who, { known, call, isTold: false, isUncertain: false });
};

/** Without a lock, when nothing waits for a turn. */
export function hears({ state, who, context, bug }: Move): readonly Step<State>[] {
  const { isTold, turn, known, leads } = context;
  if (turn !== undefined) return [];
  if (isTold) return [step("own", who, "hears of a write and reads it", follows(state, who, context))];
  const isBehind = known?.version !== state.store.version;
  if (leads !== "yes" || !isBehind || bug === "leader trusts announcements") return [];
  return [step("own", who, "as the leader looks at what is stored", follows(state, who, context))];
}

export function leads({ state, who, context }: Move): readonly Step<State>[] {
  if (context.leads === "stolen") {
    return [
      step(
        "own",
        who,
        "finds that it does not lead any more",
        withContext(state, who, { leads: "no", isCaughtUp: false }),
      ),
    ];
  }
  const leader = state.contexts.findIndex((other) => other.leads === "yes");
  if (leader === -1) return [step("own", who, "leads", withContext(state, who, { leads: "yes", isCaughtUp: false }))];
  if (state.contexts[leader]?.life !== "frozen") return [];
  const stolen = withOthers(state, who, (other) => (other.leads === "yes" ? { ...other, leads: "stolen" } : other));
  return [step("own", who, "steals the lead", withContext(stolen, who, { leads: "yes", isCaughtUp: false }))];
}

/** What the application may ask for, and ends of calls that need no turn. */
export function calls(move: Move): readonly Step<State>[] {
  const { state, who, context } = move;
  const { call, known } = context;
  if (call !== undefined) return callEnds(move, call);
  if (known === undefined) return [];
  const asked: Step<State>[] = [];
  const ask = (what: "sends" | "updates" | "forgets", made: Call, label: string): void => {
    if (state.budget[what] === 0) return;
    asked.push(step("chance", who, label, withContext(spend(state, what), who, { call: made })));
  };
  if (known.conversation.status === "active") {
    const [message, update] = [`m${state.budget.sends}`, `u${state.budget.updates}`];
    ask("sends", { kind: "send", id: message }, `is asked to send ${message}`);
    ask("updates", { kind: "update", id: update, isMade: false }, `is asked to update (${update})`);
  }
  ask("forgets", { kind: "forget" }, "is asked to forget the conversation");
  return asked;
}

function callEnds(move: Move, call: Call): readonly Step<State>[] {
  const { state, who, context } = move;
  const { known, turn } = context;
  if (known === undefined) {
    return [
      step("own", who, `says that there is nothing to ${call.kind}`, withContext(state, who, { call: undefined })),
    ];
  }
  if (call.kind === "forget") return turn === undefined ? [forgets(move, known)] : [];
  if (call.kind !== "update" || turn !== undefined) return [];
  const { status, pending } = known.conversation;
  const isOver = status !== "active" || (call.isMade && pending?.call !== call.id);
  return isOver ? [step("own", who, `has done ${call.id}`, withContext(state, who, { call: undefined }))] : [];
}

/** `forget`: reads and writes both partitions by one compare-and-swap, again until nobody came in between: one step. */
function forgets({ state, who, bug }: Move, known: NonNullable<Context["known"]>): Step<State> {
  const { store } = state;
  const stored = bug === "forget trusts what it knew" ? known.conversation : store.conversation;
  const last = stored ?? store.forgotten;
  const before = store.forgotten;
  const later = last === undefined || (before !== undefined && before.epoch > last.epoch) ? before : last;
  const forgotten = later && { welcome: later.welcome, epoch: later.epoch };
  const version = bug === "version reset by forget" ? 0 : store.version + 1;
  const cleared = withStored(state, { version, conversation: undefined, forgotten });
  const told = announced(withWitness(cleared, { accepted: [] }), who);
  return step("own", who, "forgets the conversation", withContext(told, who, { known: undefined, call: undefined }));
}

/** Nothing comes of the death or sleep of a context that has nothing and does nothing. */
const isIdle = ({ leads: lead, holdsLock, turn, call, work }: Context): boolean =>
  lead === "no" && !holdsLock && turn === undefined && call === undefined && work.at === "rest";

/** Faults of contexts. */
export function faults({ state, who, context }: Move): readonly Step<State>[] {
  const { budget, server, store } = state;
  const { life, work } = context;
  if (life === "dead") return [step("chance", who, "is opened again", withContext(state, who, opened(store)))];
  const happened: Step<State>[] = [];
  if (life === "frozen") happened.push(step("chance", who, "wakes", withContext(state, who, { life: "running" })));
  else if (isIdle(context)) return [];
  if (budget.crashes > 0) {
    const isOnItsWay = work.at === "request" && work.answer === undefined;
    const strays = isOnItsWay ? [...server.strays, work.request] : server.strays;
    const killed = withContext({ ...state, server: { ...server, strays } }, who, {
      ...opened(store),
      known: undefined,
      life: "dead",
    });
    happened.push(step("chance", who, "is killed", spend(killed, "crashes")));
  }
  // Any other context that is frozen is no more than slow.
  if (life === "running" && budget.freezes > 0 && (context.holdsLock || context.leads === "yes")) {
    happened.push(step("chance", who, "is frozen", spend(withContext(state, who, { life: "frozen" }), "freezes")));
  }
  return happened;
}
