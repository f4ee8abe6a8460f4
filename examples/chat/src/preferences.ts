/** The little that is kept outside the encrypted store: nothing in here was ever part of a message. */

const prefix = "coppice-chat/";

/** Reads a value; undefined if there is none or the browser refuses. */
function read(key: string): string | undefined {
  try {
    return localStorage.getItem(prefix + key) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Writes a value. A browser that refuses only makes the application forgetful. */
function write(key: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(prefix + key);
    else localStorage.setItem(prefix + key, value);
  } catch {
    // Storage is off or full: preferences last as long as the tab.
  }
}

/** Name of the account of this browser profile, and whether it is signed in. */
export const account = {
  get name(): string | undefined {
    return read("name");
  },
  get signedIn(): boolean {
    return read("signed-in") === "yes";
  },
  signIn(name: string): void {
    write("name", name);
    write("signed-in", "yes");
  },
  /** The name stays, to be offered at the next sign-in. */
  signOut(): void {
    write("signed-in", undefined);
  },
  /** Told when another tab of this browser signed out. Returns the release function. */
  onSignOutElsewhere(listener: () => void): () => void {
    const follow = ({ key, newValue }: StorageEvent): void => {
      // A key of null: everything was cleared.
      if (key === null || (key === `${prefix}signed-in` && newValue === null)) listener();
    };
    addEventListener("storage", follow);
    return () => {
      removeEventListener("storage", follow);
    };
  },
};

/** `system` follows the device. */
export type Theme = "system" | "light" | "dark";

/** Colours of the application. */
export const theme = {
  get current(): Theme {
    const stored = read("theme");
    return stored === "light" || stored === "dark" ? stored : "system";
  },
  set(next: Theme): void {
    write("theme", next === "system" ? undefined : next);
    theme.apply();
  },
  apply(): void {
    const root = document.documentElement;
    if (theme.current === "system") root.removeAttribute("data-theme");
    else root.setAttribute("data-theme", theme.current);
  },
};

/** What this device remembers about a conversation beside its content. */
export interface ConversationMemory {
  /** Sequence number up to which the person has seen the history. */
  readonly seenUpTo: number;
  /** Whether an invitation was noticed: opened or dismissed. */
  readonly noticed: boolean;
  /** Whether leaving was asked for here, to tell it from having been removed. */
  readonly left: boolean;
}

const nothing: ConversationMemory = { seenUpTo: 0, noticed: false, left: false };

/** Memory of conversations by id. */
export interface MemoryStore {
  get(id: string): ConversationMemory;
  set(id: string, memory: ConversationMemory): void;
  delete(id: string): void;
}

/** Kept in localStorage. */
export const conversationMemory: MemoryStore = {
  get(id) {
    const match = /^(\d{1,15}) (\d) (\d)$/u.exec(read(`seen/${id}`) ?? "");
    return match === null ? nothing : { seenUpTo: Number(match[1]), noticed: match[2] === "1", left: match[3] === "1" };
  },
  set(id, memory) {
    write(`seen/${id}`, `${memory.seenUpTo} ${memory.noticed ? "1" : "0"} ${memory.left ? "1" : "0"}`);
  },
  delete(id) {
    write(`seen/${id}`, undefined);
  },
};

/** Kept in memory, for tests. */
export function memoryInMemory(): MemoryStore {
  const memories = new Map<string, ConversationMemory>();
  return {
    get: (id) => memories.get(id) ?? nothing,
    set: (id, memory) => void memories.set(id, memory),
    delete: (id) => void memories.delete(id),
  };
}
