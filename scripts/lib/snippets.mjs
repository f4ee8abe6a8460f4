/** TypeScript examples in Markdown. */

/** @typedef {{ line: number, mode: "run" | "check", code: string }} Snippet */

/**
 * Blocks that begin with three backticks and `ts run` (type-checked and executed) or `ts check` (type-checked only).
 * @param {string} markdown
 * @returns {Snippet[]} with the line of the first line of code, from 1
 */
export function extractSnippets(markdown) {
  /** @type {Snippet[]} */
  const snippets = [];
  /** @type {{ fence: string, snippet: Snippet | undefined, code: string[] } | undefined} */
  let open;
  for (const [index, line] of markdown.split(/\r?\n/).entries()) {
    if (open === undefined) {
      const start = /^ {0,3}(`{3,}|~{3,})\s*(.*)$/.exec(line);
      if (start === null) continue;
      const [, fence = "", info = ""] = start;
      const mode = /^(?:ts|typescript)\s+(run|check)\b/.exec(info)?.[1];
      /** @type {Snippet | undefined} */
      const snippet = mode === "run" || mode === "check" ? { line: index + 2, mode, code: "" } : undefined;
      open = { fence, snippet, code: [] };
    } else if (line.trim().startsWith(open.fence) && /^[`~]+$/.test(line.trim())) {
      if (open.snippet !== undefined) snippets.push({ ...open.snippet, code: `${open.code.join("\n")}\n` });
      open = undefined;
    } else {
      open.code.push(line);
    }
  }
  if (open?.snippet !== undefined) throw new Error(`line ${open.snippet.line}: the code block is not closed`);
  return snippets;
}
