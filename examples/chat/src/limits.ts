/** What names, group names and messages may look like, told in words before anything is sent. */

/** Bytes of UTF-8 in one message. */
export const maxMessageBytes = 64 * 1024;
/** Bytes of UTF-8 in the name of a group. */
const maxTitleBytes = 128;
/** Characters in a person's name. */
const maxNameLength = 64;

const encoder = new TextEncoder();

/** Length of a text in bytes of UTF-8. */
function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** What the composer may do with a text, and what it says about it. */
export interface MessageCheck {
  readonly canSend: boolean;
  /** Undefined while there is nothing to say. */
  readonly advice: string | undefined;
  readonly tooLong: boolean;
}

/** Checks a text against the limit of a message; speaks up from seven eighths of it. */
export function checkMessage(text: string): MessageCheck {
  // A UTF-16 unit takes at most three bytes: most drafts need no encoding to know that they are short.
  if (text.length * 3 < maxMessageBytes * 0.875) {
    return { canSend: text.trim() !== "", advice: undefined, tooLong: false };
  }
  const bytes = byteLength(text);
  if (bytes > maxMessageBytes) {
    const excess = inKiB(bytes - maxMessageBytes);
    return {
      canSend: false,
      advice: `This message is ${excess} KiB over the limit of 64 KiB. Shorten it or send it in parts.`,
      tooLong: true,
    };
  }
  const advice =
    bytes < maxMessageBytes * 0.875 ? undefined : `${inKiB(maxMessageBytes - bytes)} KiB left in this message`;
  return { canSend: text.trim() !== "", advice, tooLong: false };
}

/** A name as it is compared: without space around it, composed and in lower case. The SDK knows the rest of the rules. */
export function cleanName(name: string): string {
  return name.trim().normalize("NFC").toLowerCase();
}

/** Why a clean name cannot be used, or undefined. */
export function problemWithName(name: string): string | undefined {
  if (name === "") return "Enter a name.";
  if (Array.from(name).length > maxNameLength) return "A name can have at most 64 characters.";
  if (/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(name)) return "A name cannot contain line breaks or control characters.";
  if (/\s/u.test(name)) return "A name cannot contain spaces.";
  if (name.includes(",")) return "A name cannot contain a comma: commas separate the people you invite.";
  return undefined;
}

/** Why a group name cannot be used, or undefined. */
export function problemWithTitle(title: string): string | undefined {
  if (title === "") return "Enter a name for the group.";
  if (byteLength(title) > maxTitleBytes) return "This name is too long. Choose a shorter one.";
  return undefined;
}

/** Result of reading a comma-separated list of people. */
export interface NameList {
  readonly names: readonly string[];
  readonly problem: string | undefined;
}

/** Reads names separated by commas; empty parts and repetitions are dropped. */
export function parseNames(list: string): NameList {
  const parts = list.split(",").map(cleanName);
  const names = [...new Set(parts.filter((part) => part !== ""))];
  for (const name of names) {
    const problem = problemWithName(name);
    if (problem !== undefined) return { names, problem: `${name.slice(0, 24)}: ${problem}` };
  }
  return { names, problem: undefined };
}

/** Rounded up, so that "0.0 over the limit" is never said. */
function inKiB(bytes: number): string {
  return (Math.ceil((bytes / 1024) * 10) / 10).toFixed(1);
}
