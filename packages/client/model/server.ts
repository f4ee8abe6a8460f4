/** The Delivery Service: it takes requests, also such as nobody waits for any more, and what peers do in the group. */
import { EPOCH_WINDOW, isSameCommit, isSameMessage } from "./conversation.ts";
import type { Step } from "./explore.ts";
import { spend, step, withContext, withWitness } from "./steps.ts";
import type { Answer, LogEntry, Request, Server, State } from "./state.ts";

export function serverSteps(state: State): readonly Step<State>[] {
  const { server, budget, contexts } = state;
  const taken: Step<State>[] = [];
  for (const [who, { work }] of contexts.entries()) {
    if (work.at !== "request" || work.answer !== undefined) continue;
    const [after, answer] = take(server, work.request);
    const next = withContext({ ...state, server: after }, who, { work: { ...work, answer } });
    taken.push(step("network", "server", `takes ${described(work.request)}: ${answer}`, next));
  }
  for (const [i, request] of server.strays.entries()) {
    const [after, answer] = take({ ...server, strays: server.strays.filter((_, j) => j !== i) }, request);
    taken.push(step("chance", "server", `takes ${described(request)} late: ${answer}`, { ...state, server: after }));
  }
  if (budget.peerCommits > 0 && server.isMember) {
    const next = withEpoch(server, { kind: "commit", commit: undefined });
    taken.push(step("chance", "peer", "commits", spend({ ...state, server: next }, "peerCommits")));
  }
  if (budget.reinvitations > 0 && server.isMember) {
    const next = { ...withEpoch(server, { kind: "removal" }), isMember: false };
    taken.push(step("chance", "peer", "removes this device", spend({ ...state, server: next }, "reinvitations")));
  }
  if (!server.isMember) {
    const after = withEpoch(server, { kind: "commit", commit: undefined });
    const number =
      Math.max(
        0,
        ...server.inbox.map((welcome) => welcome.number),
        ...state.witness.entered,
        ...state.witness.refused,
      ) + 1;
    const welcome = { number, epoch: after.epoch, position: after.log.length };
    const next = { ...after, isMember: true, inbox: [...after.inbox, welcome] };
    taken.push(step("chance", "peer", `invites this device by Welcome ${number}`, { ...state, server: next }));
  }
  return taken;
}

const described = (request: Request): string =>
  request.kind === "submit"
    ? `the Commit of ${request.commit.call} (epoch ${request.commit.epoch})`
    : request.batch.map(({ id, epoch, generation }) => `${id} (epoch ${epoch}, generation ${generation})`).join(", ");

function withEpoch(server: Server, entry: LogEntry): Server {
  return { ...server, epoch: server.epoch + 1, log: [...server.log, entry] };
}

/** `submitCommit`, `sendMessages`: bytes that are known are answered as before. */
function take(server: Server, request: Request): readonly [Server, Answer] {
  const { log, epoch, isMember } = server;
  if (request.kind === "submit") {
    const { commit } = request;
    if (log.some((entry) => entry.kind === "commit" && isSameCommit(entry.commit, commit))) return [server, "accepted"];
    if (!isMember) return [server, "refused"];
    return commit.epoch < epoch ? [server, "lost"] : [withEpoch(server, { kind: "commit", commit }), "accepted"];
  }
  const fresh = request.batch.filter(
    (sealed) => !log.some((entry) => entry.kind === "message" && isSameMessage(entry.sealed, sealed)),
  );
  if (fresh.length === 0) return [server, "accepted"];
  if (fresh.some((sealed) => sealed.epoch < epoch - EPOCH_WINDOW)) return [server, "too old"];
  if (!isMember) return [server, "refused"];
  const entries = fresh.map((sealed) => ({ kind: "message", sealed }) as const);
  return [{ ...server, log: [...log, ...entries] }, "accepted"];
}

/** Acknowledging one acknowledges all before it. */
export function acknowledged(state: State, number: number): State {
  const { server, witness } = state;
  const gone = server.inbox.filter((welcome) => welcome.number <= number).map((welcome) => welcome.number);
  const inbox = server.inbox.filter((welcome) => welcome.number > number);
  const after = { ...state, server: { ...server, inbox } };
  return withWitness(after, { acknowledged: [...new Set([...witness.acknowledged, ...gone])].sort() });
}
