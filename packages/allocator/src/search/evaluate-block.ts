import type { DecodedBlock } from "../block/decoded-block.ts";
import type { IndexCell } from "../h3-index/index-cell.ts";
import type { IndexReader } from "../h3-index/index-reader.ts";

/** Most times that a block is read again because its sites change faster than they can be looked up. */
const attemptsMax = 20;

/**
 * Evaluates a block. Reads the region's lists if it names entries that are not in memory; and the block too if one is not in the store, because
 * then the site that named it has changed.
 *
 * @param evaluate Returns undefined, having done nothing, if an entry is not known yet
 * @returns undefined if the cell has no block any more
 */
export async function evaluateBlock<Result>(
  reader: IndexReader,
  cell: IndexCell,
  block: DecodedBlock,
  evaluate: (block: DecodedBlock) => Result | undefined,
): Promise<Result | undefined> {
  let current: DecodedBlock | null = block;
  for (let attempt = 0; attempt < attemptsMax && current !== null; attempt++) {
    const before = evaluate(current);
    if (before !== undefined) return before;
    await reader.refreshLists(cell.region);
    const after = evaluate(current);
    if (after !== undefined) return after;
    current = await reader.readBlock(cell);
  }
  if (current === null) return undefined;
  throw new Error(`block ${cell.cell} names a size profile or opening hours that region ${cell.region.region} lacks`);
}
