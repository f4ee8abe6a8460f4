/** TypeScript examples in Markdown. */

/** @typedef {{ line: number, mode: "run" | "check", code: string }} Snippet */

/**
 * Blocks that begin with three backticks and `ts run` (type-checked and executed) or `ts check` (type-checked only). A block
 * of `ts continue` goes on where the block before it stopped: both are one program, whose lines stay where they are in the
 * document, so that an error names the right one.
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
      open = { fence, snippet: begin(/^(?:ts|typescript)\s+(\w+)/.exec(info)?.[1], index + 2, snippets), code: [] };
    } else if (line.trim().startsWith(open.fence) && /^[`~]+$/.test(line.trim())) {
      if (open.snippet !== undefined) open.snippet.code += `${open.code.join("\n")}\n`;
      open = undefined;
    } else {
      open.code.push(line);
    }
  }
  if (open?.snippet !== undefined) throw new Error(`line ${open.snippet.line}: the code block is not closed`);
  return snippets;
}

/**
 * The snippet that a block's code goes to; it is in `snippets` then.
 * @param {string | undefined} mode
 * @param {number} line
 * @param {Snippet[]} snippets
 * @returns {Snippet | undefined}
 */
function begin(mode, line, snippets) {
  if (mode === "continue") {
    const snippet = snippets.at(-1);
    if (snippet === undefined) throw new Error(`line ${line}: there is no block to continue`);
    const written = snippet.code.split("\n").length - 1;
    snippet.code += "\n".repeat(line - snippet.line - written);
    return snippet;
  }
  if (mode !== "run" && mode !== "check") return undefined;
  /** @type {Snippet} */
  const snippet = { line, mode, code: "" };
  snippets.push(snippet);
  return snippet;
}

/**
 * The text of a source file's doc comments, with each line where it is in the file; what is not a comment becomes empty.
 * @param {string} source
 * @returns {string}
 */
export function docComments(source) {
  let inside = false;
  return source
    .split(/\r?\n/)
    .map((line) => {
      if (/^\s*\/\*\*/.test(line)) inside = true;
      const text = inside ? (/^\s*\*(?!\/) ?(.*)$/.exec(line)?.[1] ?? "") : "";
      if (line.includes("*/")) inside = false;
      return text;
    })
    .join("\n");
}
