import { describe, expect, test } from "vitest";
import { extractSnippets } from "../lib/snippets.mjs";

describe("snippets of a document", () => {
  test("only marked blocks, with the line their code begins on", () => {
    const markdown = ["# A", "```ts run", "one();", "```", "```ts", "no();", "```", "~~~ts check", "two();", "", "~~~"];
    expect(extractSnippets(markdown.join("\n"))).toEqual([
      { line: 3, mode: "run", code: "one();\n" },
      { line: 9, mode: "check", code: "two();\n\n" },
    ]);
  });

  test("a marked block shown inside another block is text", () => {
    expect(extractSnippets("````md\n```ts run\nno();\n```\n````\n")).toEqual([]);
  });

  test("an unclosed block is an error, not an example that is skipped", () => {
    expect(() => extractSnippets("```ts run\none();\n")).toThrow("line 2");
  });
});
