/** Turns of a conversation: lock, read, write by compare-and-swap, announce. */
import { changed, isSameCommit, readyBatch } from "./conversation.ts";
import type { Step } from "./explore.ts";
import { announced, step, withContext, withOthers, withStored, withWitness, type Move } from "./steps.ts";
import type { Context, Job, State, Then } from "./state.ts";
import { afterThen, goOn } from "./work.ts";

export function turnSteps(move: Move): readonly Step<State>[] {
  const { context } = move;
  if (context.turn === undefined) return takesLock(move);
  return context.turn.isWritten ? [announces(move)] : [...reads(move), ...writes(move)];
}

/** What a context wants a turn for. */
function wanted({ call, known, work }: Context): readonly { readonly job: Job; readonly isCall: boolean }[] {
  const jobs: { job: Job; isCall: boolean }[] = [];
  if (known === undefined) return jobs;
  if (call?.kind === "send") jobs.push({ job: { kind: "queue", id: call.id }, isCall: true });
  if (call?.kind === "update" && !call.isMade && known.conversation.pending === undefined) {
    jobs.push({ job: { kind: "make", call: call.id }, isCall: true });
  }
  if (work.at === "turn") jobs.push({ job: work.job, isCall: false });
  return jobs;
}

/** First come, first served is one order of all that are tried. A frozen holder is passed by. */
function takesLock(move: Move): readonly Step<State>[] {
  const { state, who, context } = move;
  const holder = state.contexts.findIndex(({ holdsLock }) => holdsLock);
  const isOther = holder !== -1 && holder !== who;
  if (isOther && state.contexts[holder]?.life !== "frozen") return [];
  const freed = isOther ? withOthers(state, who, (other) => ({ ...other, holdsLock: false })) : state;
  return wanted(context)
    .filter(({ isCall }) => !(holder === who && isCall))
    .map(({ job, isCall }) =>
      step("own", who, `${isOther ? "steals" : "takes"} the lock to ${job.kind}`, {
        ...withContext(freed, who, { turn: { job, isCall, isWritten: false }, holdsLock: true }),
      }),
    );
}

/** `#follow`: when it was told of a write, or does not know what became of its own. */
function reads({ state, who, context }: Move): readonly Step<State>[] {
  if (!context.isUncertain && !context.isTold) return [];
  const { version, conversation } = state.store;
  if (conversation === undefined) return [step("own", who, "reads that the conversation is gone", gone(state, who))];
  const change = { known: { version, conversation }, isUncertain: false, isTold: false };
  return [step("own", who, `reads version ${version}`, withContext(state, who, change))];
}

/** `#end`: whoever waits learns it. */
function gone(state: State, who: number): State {
  const change = { known: undefined, isUncertain: false, isTold: false, turn: undefined, holdsLock: false };
  return withContext(state, who, { ...change, call: undefined, work: { at: "rest" } });
}

function writes(move: Move): readonly Step<State>[] {
  const { state, who, context, bug } = move;
  const { known, turn, isUncertain } = context;
  if (known === undefined || turn === undefined || isUncertain) return [];
  const { job } = turn;
  const canPostNow = context.isCaughtUp && context.leads !== "no";
  const conversation = changed(known.conversation, job, { log: state.server.log, canPostNow });
  if (conversation === known.conversation) {
    return [step("own", who, `has nothing to write to ${job.kind}`, ends(move, state))];
  }
  const { version } = state.store;
  if (version !== known.version && bug !== "no compare-and-swap") {
    const takenOver = bug === "thief does not read" ? { known: { ...known, version } } : { isUncertain: true };
    return [
      step(
        "own",
        who,
        `cannot write to ${job.kind}: version ${known.version} is past`,
        withContext(state, who, takenOver),
      ),
    ];
  }
  const written = withStored(state, { version: Math.max(version, known.version) + 1, conversation });
  const stored = { version: written.store.version, conversation };
  const after = withContext(written, who, { known: stored, turn: { ...turn, isWritten: true } });
  const accepted = [...state.witness.accepted, ...(job.kind === "queue" ? [job.id] : [])].sort();
  return [step("own", who, `writes version ${stored.version} to ${job.kind}`, withWitness(after, { accepted }))];
}

function announces(move: Move): Step<State> {
  const { state, who } = move;
  return step("own", who, "announces the write and releases the lock", ends(move, announced(state, who)));
}

/** The lock is free, and what wanted the turn goes on. */
function ends(move: Move, state: State): State {
  const { who, bug } = move;
  const { turn, call, known } = move.context;
  if (turn === undefined) return state;
  const { job, isCall } = turn;
  const isKept = bug === "lock held over the request" && job.kind === "prepare";
  const released = withContext(state, who, { turn: undefined, holdsLock: isKept && move.context.holdsLock });
  if (!isCall) return afterJob(move, released, job);
  const isMade = call?.kind === "update" && known?.conversation.pending?.call === call.id;
  if (call?.kind !== "update" || known?.conversation.status !== "active")
    return withContext(released, who, { call: undefined });
  return withContext(released, who, { call: { ...call, isMade } });
}

/** What the work does after its turn. */
function afterJob(move: Move, state: State, job: Job): State {
  const { context, who } = move;
  const { work, known } = context;
  const then: Then = work.at === "turn" ? work.then : "go on";
  switch (job.kind) {
    case "process":
      return afterThen(withContext(state, who, { isCaughtUp: true }), who, { then, bug: move.bug });
    case "adopt":
      // Something else comes first in the log.
      return isSameCommit(known?.conversation.pending, job.commit)
        ? withContext(state, who, { work: { at: "read", then: { drop: job.commit } } })
        : goOn(state, who, move.bug);
    case "prepare":
      return known === undefined || readyBatch(known.conversation) === undefined
        ? withContext(state, who, { work: { at: "rest" } })
        : goOn(state, who, move.bug);
    default:
      return goOn(state, who, move.bug);
  }
}
