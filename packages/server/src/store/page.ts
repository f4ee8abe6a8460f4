/** Pages that are bounded in bytes, decided before any content is loaded. */
import type { Row } from "../database/database.ts";

/**
 * The last position of a page: `rows` hold the position in column `position` and the size in `bytes`. The first row
 * always fits; the page ends before a gap in the positions, unless `gaps` are allowed.
 */
export function pageEnd(
  rows: readonly Row[],
  position: string,
  maxBytes: number,
  { gaps = false }: { readonly gaps?: boolean } = {},
): number {
  let end: number | undefined;
  let total = 0;
  for (const row of rows) {
    const current = row.integer(position);
    total += row.integer("bytes");
    if (end !== undefined && (total > maxBytes || (!gaps && current !== end + 1))) break;
    end = current;
  }
  return end ?? 0;
}
