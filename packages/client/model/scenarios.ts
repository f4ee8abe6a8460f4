/** What is explored: the same model with different bounds, since all at once would be too much. Three contexts in each. */
import { opened } from "./contexts.ts";
import type { Bug } from "./bugs.ts";
import type { Budget, Conversation, State } from "./state.ts";

export interface Scenario {
  readonly name: string;
  readonly budget: Budget;
  /** Whether this device is invited, rather than in the group from the beginning. */
  readonly isInvited: boolean;
  /** Planted bugs that are looked for here. */
  readonly bugs: readonly Bug[];
}

const NOTHING: Budget = {
  ...{ sends: 0, updates: 0, forgets: 0, crashes: 0, freezes: 0, losses: 0, peerCommits: 0, reinvitations: 0 },
};

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "two messages, a kill",
    budget: { ...NOTHING, sends: 2, crashes: 1 },
    isInvited: false,
    bugs: ["sent before the answer", "lock held over the request", "leader trusts announcements"],
  },
  {
    name: "two messages, a freeze",
    budget: { ...NOTHING, sends: 2, freezes: 1 },
    isInvited: false,
    bugs: ["no compare-and-swap", "thief does not read"],
  },
  {
    name: "a message, a freeze, a kill",
    budget: { ...NOTHING, sends: 1, crashes: 1, freezes: 1 },
    isInvited: false,
    bugs: [],
  },
  {
    name: "a message, two Commits of a peer, a lost answer, a kill",
    budget: { ...NOTHING, sends: 1, crashes: 1, losses: 1, peerCommits: 2 },
    isInvited: false,
    bugs: ["retry under a new id"],
  },
  {
    name: "two own Commits",
    budget: { ...NOTHING, updates: 2 },
    isInvited: false,
    bugs: [],
  },
  {
    name: "an own Commit, one of a peer, a lost answer, a kill",
    budget: { ...NOTHING, updates: 1, crashes: 1, losses: 1, peerCommits: 1 },
    isInvited: false,
    bugs: [],
  },
  {
    name: "invited, forgotten, a kill",
    budget: { ...NOTHING, sends: 1, forgets: 1, crashes: 1 },
    isInvited: true,
    bugs: ["acknowledged before the write", "version reset by forget"],
  },
  {
    name: "invited, removed, invited again, forgotten",
    budget: { ...NOTHING, sends: 1, forgets: 1, reinvitations: 1 },
    isInvited: true,
    bugs: ["forget trusts what it knew"],
  },
];

const CONTEXTS = 3;

export function initialState({ budget, isInvited }: Pick<Scenario, "budget" | "isInvited">): State {
  const member: Conversation = {
    ...{ status: "active", welcome: 0, epoch: 0, generation: 0, handshake: 0, position: 0, outbox: [], items: [] },
    pending: undefined,
  };
  const store = isInvited
    ? { version: 0, conversation: undefined, forgotten: undefined }
    : { version: 1, conversation: member, forgotten: undefined };
  const inbox = isInvited ? [{ number: 1, epoch: 0, position: 0 }] : [];
  return {
    store,
    server: { epoch: 0, isMember: true, log: [], inbox, strays: [] },
    contexts: Array.from({ length: CONTEXTS }, () => opened(store)),
    budget,
    witness: { wire: [], accepted: [], highest: store.version, entered: [], refused: [], acknowledged: [] },
  };
}
