/** Sites that one call writes concurrently: enough to hide the round trips, few enough not to delay other calls. */
export const parallelWrites = 16;

/** Processes the items in batches, those of a batch concurrently. Returns the results in the order of the items. */
export async function inBatches<Item, Result>(
  items: readonly Item[],
  batch: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let from = 0; from < items.length; from += batch) {
    results.push(...(await Promise.all(items.slice(from, from + batch).map(work))));
  }
  return results;
}
