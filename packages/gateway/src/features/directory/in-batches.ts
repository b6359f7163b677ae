/** Sites that one call writes at a time: enough to hide the round trips, few enough to leave room for other calls. */
export const parallelWrites = 16;

/** Works on a batch of items at once, then on the next. Gives the results in the order of the items. */
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
