/** Works on a batch of items at once, then on the next, and gives the results in the order of the items. */
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
