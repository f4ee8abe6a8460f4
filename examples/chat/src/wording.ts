/** Dates, lists and changes in words. English throughout, so that a sentence never mixes languages. */
import type { ConversationSnapshot, HistoryItem } from "coppice";

const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const dayOfThisYear = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long" });
const dayOfOtherYears = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });
const shortDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const fullMoment = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "short" });

/** "14:02" */
export function timeInWords(at: number): string {
  return time.format(at);
}

/** "Monday, 16 November 2026 at 14:02" */
export function momentInWords(at: number): string {
  return fullMoment.format(at);
}

/** "Today", "Yesterday", "Monday 16 November", "16 November 2025" */
export function dayInWords(at: number, now: number): string {
  const distance = daysBetween(at, now);
  if (distance === 0) return "Today";
  if (distance === 1) return "Yesterday";
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return (sameYear ? dayOfThisYear : dayOfOtherYears).format(at);
}

/** As short as a list entry wants it: "14:02", "Yesterday", "16 Nov" */
export function shortMoment(at: number, now: number): string {
  const distance = daysBetween(at, now);
  if (distance === 0) return timeInWords(at);
  return distance === 1 ? "Yesterday" : shortDay.format(at);
}

/** Whether two moments fall on the same day of this device's calendar. */
export function sameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString();
}

/** A piece of a sentence; names are marked, so that they can be isolated from the text around them. */
export type Phrase = readonly (string | { readonly name: string })[];

/** "alice added bob and carol" */
export function changeInWords(item: Extract<HistoryItem, { kind: "change" }>, self: string): Phrase {
  const leaving = leavingInWords(item, self);
  if (leaving !== undefined) return leaving;
  const actor = person(item.actor, self, "You");
  if (item.joined) {
    return item.actor === self
      ? ["You joined the group"]
      : [actor, " added you. Earlier messages stay private to the others"];
  }
  const clauses: Phrase[] = [];
  if (item.added.length > 0) clauses.push(["added ", ...people(item.added, self)]);
  if (item.removed.length > 0) clauses.push(["removed ", ...people(item.removed, self)]);
  if (item.left.length > 0) clauses.push(["let ", ...people(item.left, self), " go"]);
  if (item.renamedTo !== undefined) {
    clauses.push(
      item.renamedTo === "" ? ["took the group's name away"] : ["named the group ", { name: item.renamedTo }],
    );
  }
  if (clauses.length === 0) clauses.push([item.actor === self ? "refreshed your keys" : "refreshed their keys"]);
  return [actor, " ", ...clauses.flatMap((clause, index) => (index === 0 ? clause : [" and ", ...clause]))];
}

/** "carol left", if that is all that happened: who commits it for them is of no interest. */
function leavingInWords(
  { left, added, removed, renamedTo }: Extract<HistoryItem, { kind: "change" }>,
  self: string,
): Phrase | undefined {
  if (left.length === 0 || added.length + removed.length > 0 || renamedTo !== undefined) return undefined;
  return left.length === 1 && left[0] === self ? ["You left"] : [...people(left, self), " left"];
}

/** The plain text of a phrase, each name isolated by Unicode's own means. */
export function phraseAsText(phrase: Phrase): string {
  return phrase.map((part) => (typeof part === "string" ? part : isolate(part.name))).join("");
}

/** What a commit in flight is doing: "Adding carol… attempt 2". `names` are known if it was asked for in this tab. */
export function pendingInWords(
  pending: NonNullable<ConversationSnapshot["pending"]>,
  names: readonly string[] | undefined,
): Phrase {
  const list: Phrase = names === undefined ? ["people"] : people(names, undefined);
  const attempt = pending.attempt > 1 ? ` attempt ${pending.attempt}` : "";
  switch (pending.operation) {
    case "add":
      return ["Adding ", ...list, `…${attempt}`];
    case "remove":
      return ["Removing ", ...list, `…${attempt}`];
    case "update":
      return [`Refreshing your keys…${attempt}`];
    case "rename":
      return [`Renaming the group…${attempt}`];
    case "leave":
      return [`Leaving… the others' apps confirm it${attempt === "" ? "" : `,${attempt}`}`];
  }
}

/** What a group is called: its name, or else how many people it has. */
export function titleOf({ title, memberCount }: ConversationSnapshot): string {
  if (title !== "") return title;
  return memberCount === 1 ? "Group without a name" : `Group of ${memberCount}`;
}

/** Puts Unicode's isolates around a name, so that its characters cannot rearrange the text around it. */
export function isolate(name: string): string {
  return `\u2068${name}\u2069`;
}

function people(names: readonly string[], self: string | undefined): Phrase {
  const parts: (string | { name: string })[] = [];
  names.forEach((name, index) => {
    if (index > 0) parts.push(index === names.length - 1 ? " and " : ", ");
    parts.push(name === self ? "you" : { name });
  });
  return parts;
}

function person(name: string, self: string, you: string): string | { readonly name: string } {
  return name === self ? you : { name };
}

function daysBetween(at: number, now: number): number {
  const midnight = (moment: number): number => new Date(moment).setHours(0, 0, 0, 0);
  // Rounded: a day has 23 or 25 hours when the clocks change.
  return Math.round((midnight(now) - midnight(at)) / 86_400_000);
}
