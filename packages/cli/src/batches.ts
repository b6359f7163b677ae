/** Cuts a sequence into lists of `size`; the last may be shorter. Nothing more than one list is held. */
export async function* batchesOf<T>(items: Iterable<T> | AsyncIterable<T>, size: number): AsyncGenerator<T[], void, undefined> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

/**
 * Does `work` for every item, at most `parallel` at once, and takes an item from the sequence only when there is room for it. After a
 * failure nothing new is begun; what is under way is waited for, and then the first failure is thrown.
 */
export async function forEachConcurrently<T>(items: AsyncIterable<T>, parallel: number, work: (item: T) => Promise<void>): Promise<void> {
  const underWay = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;
  try {
    for await (const item of items) {
      const task = work(item)
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => underWay.delete(task));
      underWay.add(task);
      if (underWay.size >= parallel) await Promise.race(underWay);
      if (failure !== undefined) break;
    }
  } finally {
    await Promise.all(underWay);
  }
  if (failure !== undefined) throw failure.error;
}
