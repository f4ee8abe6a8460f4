/** Bounded concurrency. */

/**
 * Maps in order with at most `limit` calls in flight; the first failure rejects and starts no further call. `RangeError` for a
 * limit below 1.
 */
export async function mapLimit<T, R>(
  items: readonly T[],
  limit: number,
  map: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  if (!(limit >= 1)) throw new RangeError(`At least one call at a time is needed, not ${limit}`);
  const results: R[] = [];
  const pending = items.entries();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (const [index, item] of pending) {
      if (failed) return;
      try {
        results[index] = await map(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
