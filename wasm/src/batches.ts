/** How much goes to the kernel at a time. */

/**
 * Splits into runs, in order, each as long as `fits` allows for the number of its items and the sum of their sizes. An
 * item that does not fit is a run of its own.
 */
export function* batches<T>(
  items: readonly T[],
  sizeOf: (item: T) => number,
  fits: (count: number, total: number) => boolean,
): Generator<readonly T[]> {
  let from = 0;
  let total = 0;
  for (const [i, item] of items.entries()) {
    const size = sizeOf(item);
    if (i > from && !fits(i - from + 1, total + size)) {
      yield items.slice(from, i);
      from = i;
      total = 0;
    }
    total += size;
  }
  if (from < items.length) yield items.slice(from);
}
