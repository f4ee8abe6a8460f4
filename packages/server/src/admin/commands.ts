/** The commands of `coppice-server admin`: from words to what is done, and what is printed. */
import { NotFound, type Administration } from "./administration.ts";

interface Command {
  readonly words: string;
  readonly help: string;
  readonly run: (administration: Administration, words: readonly string[]) => Promise<unknown>;
}

/** An operator's mistake or a name that does not exist, in words. */
export class Refusal extends Error {}

const COMMANDS: Readonly<Record<string, Command>> = {
  status: { words: "", help: "counts of users, groups and bytes", run: (admin) => admin.status() },
  users: { words: "[AFTER]", help: "1000 users by name", run: (admin, [after = ""]) => admin.users(after) },
  groups: {
    words: "[AFTER]",
    help: "1000 groups by id (hex)",
    run: (admin, [after = ""]) => admin.groups(readHex(after)),
  },
  ban: {
    words: "NAME",
    help: "end a user's sessions and let it in no more",
    run: (admin, [name]) => admin.ban(need(name)),
  },
  unban: { words: "NAME", help: "let it in again", run: (admin, [name]) => admin.unban(need(name)) },
  quota: {
    words: "NAME BYTES|default",
    help: "bytes that the groups it created may keep",
    run: (admin, [name, bytes]) => admin.quota(need(name), readBytes(need(bytes))),
  },
  "delete-user": {
    words: "NAME",
    help: "forget a user; its name is free afterwards",
    run: (admin, [name]) => admin.deleteUser(need(name)),
  },
  "delete-group": {
    words: "ID",
    help: "forget a group for everybody",
    run: (admin, [id]) => admin.deleteGroup(readHex(need(id))),
  },
};

/** What there is. */
export const ADMIN_HELP: string = [
  "Usage: coppice-server admin COMMAND",
  "",
  ...Object.entries(COMMANDS).map(([name, { words, help }]) => `  ${`${name} ${words}`.padEnd(28)}${help}`),
].join("\n");

/** Carries out a command. `Refusal`. */
export async function runCommand(
  administration: Administration,
  name: string,
  words: readonly string[],
): Promise<unknown> {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw new Refusal(`"${name}" is no command\n\n${ADMIN_HELP}`);
  if (words.length > command.words.split(" ").filter((word) => word !== "").length) {
    throw new Refusal(`Usage: coppice-server admin ${name} ${command.words}`);
  }
  try {
    return await command.run(administration, words);
  } catch (error) {
    throw error instanceof NotFound ? new Refusal(error.message) : error;
  }
}

function need(word: string | undefined): string {
  if (word === undefined || word === "") throw new Refusal(`A word is missing\n\n${ADMIN_HELP}`);
  return word;
}

function readHex(text: string): Uint8Array {
  if (!/^([0-9a-f]{2})*$/i.test(text)) throw new Refusal("A group's id is written in hex");
  return new Uint8Array(Buffer.from(text, "hex"));
}

function readBytes(text: string): number | undefined {
  if (text === "default") return undefined;
  const bytes = Number(text);
  if (Number.isSafeInteger(bytes) && bytes >= 0) return bytes;
  throw new Refusal(`A quota is a number of bytes or "default", not "${text}"`);
}
