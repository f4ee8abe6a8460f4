/** A context's work with the Delivery Service: read the log, finish the pending Commit, post what waits, use invitations. */
import { membership, readyBatch } from "./conversation.ts";
import type { Bug } from "./bugs.ts";
import type { Step } from "./explore.ts";
import { acknowledged } from "./server.ts";
import { announced, onWire, spend, step, withContext, withStored, withWitness, type Move } from "./steps.ts";
import type { Answer, Conversation, Request, State, Then, Work } from "./state.ts";

/** `#work` after the log was read, and again after each answer: a pending Commit first, then what waits. */
export function goOn(state: State, who: number, bug: Bug | undefined): State {
  const context = state.contexts[who];
  const conversation = context?.known?.conversation;
  if (context === undefined || conversation?.status !== "active") return atRest(state, who);
  const { pending, outbox } = conversation;
  if (pending !== undefined) return requests(state, who, { kind: "submit", commit: pending });
  if (outbox.length === 0 || context.leads === "no") return atRest(state, who);
  const batch = readyBatch(conversation);
  if (batch === undefined)
    return withContext(state, who, { work: { at: "turn", job: { kind: "prepare" }, then: "go on" } });
  const posts = requests(state, who, { kind: "post", batch });
  if (bug !== "sent before the answer") return posts;
  return markedSent(posts, who, conversation);
}

const atRest = (state: State, who: number): State => withContext(state, who, { work: { at: "rest" } });

function requests(state: State, who: number, request: Request): State {
  const sent = request.kind === "post" ? onWire(state, request.batch, []) : onWire(state, [], [request.commit]);
  return withContext(sent, who, { work: { at: "request", request, answer: undefined } });
}

/** The planted bug, in one write. */
function markedSent(state: State, who: number, conversation: Conversation): State {
  if (state.contexts[who]?.known?.version !== state.store.version) return state;
  const items = conversation.items.map(([id]) => [id, "sent"] as const);
  const stored = { version: state.store.version + 1, conversation: { ...conversation, items, outbox: [] } };
  return withContext(withStored(state, stored), who, { known: stored });
}

export function afterThen(
  state: State,
  who: number,
  { then, bug }: { readonly then: Then; readonly bug: Bug | undefined },
): State {
  if (then === "go on") return goOn(state, who, bug);
  if (then === "join") {
    const [welcome] = state.server.inbox;
    return withContext(state, who, { work: welcome === undefined ? { at: "rest" } : { at: "join", welcome } });
  }
  const job = then === "unseal" ? ({ kind: "unseal" } as const) : ({ kind: "drop", commit: then.drop } as const);
  return withContext(state, who, { work: { at: "turn", job, then: "go on" } });
}

export function workSteps(move: Move): readonly Step<State>[] {
  const { state, who, context } = move;
  const { work } = context;
  switch (work.at) {
    case "rest":
      return begins(move);
    case "read":
      return readsLog(move, work.then);
    case "turn":
      // Waits for its turn; if the conversation is gone, in vain.
      return context.known === undefined ? [step("own", who, "gives up its work", atRest(state, who))] : [];
    case "request":
      return work.answer === undefined
        ? []
        : [step("own", who, `learns: ${work.answer}`, answered(move, work.request, work.answer))];
    case "join":
      return [joins(move, work)];
    case "acknowledge": {
      const { number } = work.welcome;
      const done = acknowledged(atRest(state, who), number);
      return [
        step("network", who, `acknowledges Welcome ${number}`, done),
        ...lost(move, "loses the acknowledgement", atRest(state, who)),
      ];
    }
    case "enter":
      return [
        step("own", who, `stores the membership of Welcome ${work.welcome.number}`, enters(state, who, work.welcome)),
      ];
  }
}

/** Kicked by events of the log, by what other contexts wrote, by its own calls, and as a new leader. */
function begins(move: Move): readonly Step<State>[] {
  const { state, who, context } = move;
  const { known, call, leads, isCaughtUp } = context;
  const conversation = known?.conversation;
  const { log, inbox } = state.server;
  const begun: Step<State>[] = [];
  const isOwnCall = call?.kind === "update" && conversation?.pending !== undefined;
  if (conversation?.status === "active" && (leads !== "no" || isOwnCall)) {
    const hasWork = conversation.outbox.length > 0 || conversation.pending !== undefined;
    if (isCaughtUp && log.length === conversation.position) {
      if (hasWork) begun.push(step("own", who, "goes to work", goOn(state, who, move.bug)));
    } else if (hasWork || log.length > conversation.position) {
      begun.push(...readsLog(move, "go on"));
    }
  }
  const [welcome] = inbox;
  if (leads !== "no" && welcome !== undefined) {
    if (conversation?.status === "active") begun.push(...readsLog(move, "join"));
    else
      begun.push(step("network", who, "reads the inbox", withContext(state, who, { work: { at: "join", welcome } })));
  }
  return begun;
}

function readsLog(move: Move, then: Then): readonly Step<State>[] {
  const { state, who } = move;
  const upTo = state.server.log.length;
  const work: Work = { at: "turn", job: { kind: "process", upTo }, then };
  const given = withContext(state, who, { work: { at: "rest" }, isCaughtUp: false });
  return [
    step("network", who, `reads the log to entry ${upTo}`, withContext(state, who, { work })),
    ...(move.context.work.at === "read" ? lost(move, "cannot read the log", given) : []),
  ];
}

/** If the budget has it. */
function lost({ state, who }: Move, what: string, next: State): readonly Step<State>[] {
  return state.budget.losses > 0 ? [step("chance", who, what, spend(next, "losses"))] : [];
}

function answered({ state, who }: Move, request: Request, answer: Answer): State {
  const turn = (job: Extract<Work, { at: "turn" }>["job"]): State =>
    withContext(state, who, { work: { at: "turn", job, then: "go on" } });
  if (request.kind === "submit") {
    const { commit } = request;
    if (answer === "accepted") return turn({ kind: "adopt", commit });
    return withContext(state, who, { work: { at: "read", then: { drop: commit } } });
  }
  const { batch } = request;
  if (answer === "accepted") return turn({ kind: "confirm", batch });
  if (answer === "too old") return withContext(state, who, { work: { at: "read", then: "unseal" } });
  return turn({ kind: "refuse", batch });
}

/** The request or its answer is lost: it is not known whether it arrived, or arrives later. */
export function requestLoss(move: Move): readonly Step<State>[] {
  const { state, who, context, bug } = move;
  const { work } = context;
  if (work.at !== "request" || state.budget.losses === 0) return [];
  const failed = {
    work: { at: "rest" },
    isCaughtUp: false,
    ...(bug === "lock held over the request" ? { holdsLock: false } : {}),
  } as const;
  const given = withContext(spend(state, "losses"), who, failed);
  const { strays } = state.server;
  const next =
    work.answer === undefined ? { ...given, server: { ...given.server, strays: [...strays, work.request] } } : given;
  const { request } = work;
  const renamed = bug === "retry under a new id" && request.kind === "post" ? resealed(next, who) : next;
  return [step("chance", who, `loses the connection during its ${request.kind}`, renamed)];
}

/** The planted bug: what was sent before goes out again as if it were new. */
function resealed(state: State, who: number): State {
  const { conversation, version } = state.store;
  if (conversation === undefined || state.contexts[who]?.known?.version !== version) return state;
  const outbox = conversation.outbox.map(({ id }) => ({ id: `${id}'`, sealed: undefined, resent: false }));
  const items = conversation.items.map(([id, at]) => [at === "sending" ? `${id}'` : id, at] as const);
  const accepted = state.witness.accepted.map((id) => (items.some(([other]) => other === `${id}'`) ? `${id}'` : id));
  const stored = { version: version + 1, conversation: { ...conversation, outbox, items } };
  return withWitness(withContext(withStored(state, stored), who, { known: stored }), { accepted });
}

/**
 * `join`: reads both partitions, and writes both by one compare-and-swap that covers all that was read, again until nobody came in
 * between: one step.
 */
function joins(move: Move, { welcome }: Extract<Work, { at: "join" }>): Step<State> {
  const { state, who, bug } = move;
  const { conversation, forgotten } = state.store;
  const { number, epoch } = welcome;
  const known = conversation ?? forgotten;
  const acknowledge = withContext(state, who, { work: { at: "acknowledge", welcome } });
  if (known?.welcome === number) return step("own", who, `finds that Welcome ${number} was used`, acknowledge);
  if (conversation?.status === "active" || (known !== undefined && known.epoch >= epoch)) {
    const refused = [...new Set([...state.witness.refused, number])].sort();
    return step("own", who, `refuses Welcome ${number} and says so`, withWitness(acknowledge, { refused }));
  }
  if (bug === "acknowledged before the write") {
    const first = withContext(acknowledged(state, number), who, { work: { at: "enter", welcome } });
    return step("network", who, `acknowledges Welcome ${number}`, first);
  }
  return step("own", who, `stores the membership of Welcome ${number}`, enters(state, who, welcome));
}

function enters(state: State, who: number, welcome: Extract<Work, { at: "enter" }>["welcome"]): State {
  const { store, witness } = state;
  const conversation = membership(welcome, store.conversation);
  const version = store.version + 1;
  const written = withStored(state, { version, conversation });
  const entered = [...witness.entered, welcome.number].sort();
  const change = { work: { at: "acknowledge", welcome }, known: { version, conversation }, isCaughtUp: false } as const;
  return withContext(announced(withWitness(written, { entered }), who), who, change);
}
