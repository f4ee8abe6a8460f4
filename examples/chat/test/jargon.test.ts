/** What the chat says is said in words of people who chat, not in those of the protocol. */
import { readdirSync, readFileSync } from "node:fs";
import ts from "typescript";
import { expect, it } from "vitest";

const SOURCES = new URL("../src/", import.meta.url);
const JARGON =
  /\b(?:MLS|epochs?|leaf|leaves|ratchet|tree|commits?|committed|proposals?|welcome|key packages?|ciphertexts?|credentials?|authenticator|delivery service|external join)\b/i;

/** What is written between tags, and strings that are sentences. */
function sentences(path: string, source: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node)) found.push(node.text.trim());
    const isText = ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
    if (isText && /\s/.test(node.text.trim()) && !isClassName(node)) found.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX));
  return found.filter((text) => text !== "");
}

const isClassName = (node: ts.Node): boolean =>
  ts.isJsxAttribute(node.parent) && ts.isIdentifier(node.parent.name) && node.parent.name.text === "class";

const paths = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((path) => /\.tsx?$/.test(path));

it.each(paths)("%s", (path) => {
  const said = sentences(path, readFileSync(new URL(path, SOURCES), "utf8"));
  expect(said.filter((text) => JARGON.test(text))).toEqual([]);
});

it("finds what the chat says", () => {
  const said = paths.flatMap((path) => sentences(path, readFileSync(new URL(path, SOURCES), "utf8")));
  expect(said).toContain("No conversations yet.");
  expect(said.length).toBeGreaterThan(100);
});
