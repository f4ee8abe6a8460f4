import type { HistoryItem } from "coppice";
import { describe, expect, it } from "vitest";
import { previewOf, textOf } from "../src/message-text.ts";
import { groupsOf, shapes, tilesOf } from "../src/safety-picture.ts";
import { changeInWords, dayInWords, pendingInWords, phraseAsText } from "../src/wording.ts";

type Change = Extract<HistoryItem, { kind: "change" }>;

/** The words of a change by bob, as alice reads them, without the marks around names. */
function words(change: Partial<Change>): string {
  const item: Change = {
    seq: 1,
    kind: "change",
    at: 0,
    epoch: 1n,
    actor: "bob",
    added: [],
    removed: [],
    left: [],
    renamedTo: undefined,
    joined: false,
    ...change,
  };
  return phraseAsText(changeInWords(item, "alice")).replace(/[\u2068\u2069]/gu, "");
}

describe("changes in words", () => {
  it("says who did what to whom", () => {
    expect(words({ added: ["carol"] })).toBe("bob added carol");
    expect(words({ actor: "alice", added: ["carol", "dave", "erin"] })).toBe("You added carol, dave and erin");
    expect(words({ removed: ["alice"] })).toBe("bob removed you");
    expect(words({ left: ["carol"] })).toBe("carol left");
    expect(words({ left: ["alice"] })).toBe("You left");
    expect(words({ left: ["carol"], added: ["dave"] })).toBe("bob added dave and let carol go");
    expect(words({ renamedTo: "Tea" })).toBe("bob named the group Tea");
    expect(words({ added: ["carol"], removed: ["dave"] })).toBe("bob added carol and removed dave");
    expect(words({})).toBe("bob refreshed their keys");
    expect(words({ actor: "alice" })).toBe("You refreshed your keys");
    expect(words({ joined: true })).toContain("bob added you");
  });

  it("isolates names", () => {
    const item = {
      kind: "change",
      actor: "\u202Ebob",
      added: ["carol"],
      removed: [],
      left: [],
      joined: false,
    } as const;
    const phrase = changeInWords({ ...item, seq: 1, at: 0, epoch: 1n, renamedTo: undefined }, "alice");
    expect(phraseAsText(phrase)).toBe("\u2068\u202Ebob\u2069 added \u2068carol\u2069");
  });

  it("tells an operation under way and its attempt", () => {
    const say = (attempt: number, names?: readonly string[]): string =>
      phraseAsText(pendingInWords({ operation: "add", attempt }, names));
    expect(say(1, ["carol"])).toBe("Adding \u2068carol\u2069…");
    expect(say(2, ["carol"])).toBe("Adding \u2068carol\u2069… attempt 2");
    expect(say(2)).toBe("Adding people… attempt 2");
  });
});

describe("days in words", () => {
  const now = new Date(2026, 10, 20, 0, 5).getTime();
  it("counts by the calendar, not by hours", () => {
    expect(dayInWords(new Date(2026, 10, 20, 0, 1).getTime(), now)).toBe("Today");
    expect(dayInWords(new Date(2026, 10, 19, 23, 59).getTime(), now)).toBe("Yesterday");
    expect(dayInWords(new Date(2026, 10, 16).getTime(), now)).toBe("Monday 16 November");
    expect(dayInWords(new Date(2025, 10, 16).getTime(), now)).toBe("16 November 2025");
  });
});

describe("message text", () => {
  it("is text only if it is UTF-8", () => {
    expect(textOf(new TextEncoder().encode("tree 🌳"))).toBe("tree 🌳");
    expect(textOf(new Uint8Array([0xc3, 0x28]))).toBeUndefined();
  });

  it("is previewed in one line, whole characters only", () => {
    expect(previewOf(new TextEncoder().encode("  a\n\n b\t c "))).toBe("a b c");
    expect(previewOf(new TextEncoder().encode("🌳".repeat(50)), 3)).toBe("🌳🌳🌳");
  });
});

describe("safety picture", () => {
  const number = "01234 56789 11111 22222 33333 44444 55555 66666 77777 88888 99999 98765";

  it("holds every digit of the number", () => {
    const digits = tilesOf(number).flatMap(({ ground, shape, ink, dotAt, dotInk }) => [
      ground,
      shape,
      ink,
      dotAt,
      dotInk,
    ]);
    expect(digits.join("")).toBe(number.replaceAll(" ", ""));
    expect(groupsOf(number.replaceAll(" ", ""))).toEqual(number.split(" "));
  });

  it("has a shape for every digit", () => {
    expect(new Set(shapes).size).toBe(10);
  });
});
