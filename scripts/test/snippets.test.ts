import { describe, expect, test } from "vitest";
import { docComments, extractSnippets } from "../lib/snippets.mjs";

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

  test("a block that continues is part of the program before it, on its own lines", () => {
    const markdown = ["```ts run", "const one = 1;", "```", "text", "```ts continue", "two(one);", "```"];
    expect(extractSnippets(markdown.join("\n"))).toEqual([
      { line: 2, mode: "run", code: "const one = 1;\n\n\n\ntwo(one);\n" },
    ]);
    expect(() => extractSnippets("```ts continue\none();\n```\n")).toThrow("line 2: there is no block to continue");
  });
});

test("doc comments keep their lines", () => {
  const source = ["/** One line. */", "const a = 1 * 2;", "  /**", "   * @example", "   * ```ts run", "   */", "* no"];
  expect(docComments(source.join("\n"))).toBe("\n\n\n@example\n```ts run\n\n");
});
