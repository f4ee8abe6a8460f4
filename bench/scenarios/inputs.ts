/** Inputs that depend on nothing but their size, and the check that contestants agree. */

/** `length` bytes that look random, the same for the same `length` and `seed`. */
export function bytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(length);
  let state = (seed * 2_654_435_761 + length) >>> 0;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    result[index] = state >>> 24;
  }
  return result;
}

/** Throws unless all results are the same bytes: a contest between different functions measures nothing. */
export function assertSame(results: readonly Uint8Array[]): void {
  const [first, ...others] = results.map((result) => result.join());
  if (others.some((other) => other !== first)) throw new Error("the contestants disagree on the result");
}
