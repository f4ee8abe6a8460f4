/** An operator's mistake, in words for the operator. */
export class Mistake extends Error {}

/** Runs `parse`; what it throws is the operator's mistake. */
export function asMistake<T>(parse: () => T, from = ""): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof Mistake) throw error;
    throw new Mistake(`${from}${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
