/** What the public interface of a package lacks in documentation. */
import ts from "typescript";

/**
 * Exports of an entry point that have no doc comment, and functions without an example that runs.
 * @param {string} entry path of the TypeScript file
 * @param {import("typescript").CompilerOptions} options
 * @returns {string[]} one line for each
 */
export function undocumented(entry, options) {
  const program = ts.createProgram([entry], options);
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(entry);
  const module = source && checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error(`${entry} is not a module`);
  return checker.getExportsOfModule(module).flatMap((exported) => {
    const symbol = (exported.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(exported) : exported;
    // `export * as name` is a module: its file says what it is.
    if ((symbol.flags & ts.SymbolFlags.ValueModule) !== 0) return [];
    if (ts.displayPartsToString(symbol.getDocumentationComment(checker)) === "") {
      return [`${exported.name} has no doc comment`];
    }
    const isFunction = (symbol.flags & ts.SymbolFlags.Function) !== 0;
    const examples = symbol.getJsDocTags(checker).filter(({ name }) => name === "example");
    const runs = examples.some(({ text }) => ts.displayPartsToString(text).includes("```ts run"));
    return isFunction && !runs ? [`${exported.name} has no example that runs`] : [];
  });
}
