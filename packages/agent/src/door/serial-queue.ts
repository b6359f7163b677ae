/** Runs tasks one after another, in the order in which they came. A task that fails does not hold up the next. */
export type SerialQueue = <T>(task: () => Promise<T> | T) => Promise<T>;

/** Makes a queue. */
export function createSerialQueue(): SerialQueue {
  let tail: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = tail.then(task);
    tail = result.catch(() => undefined);
    return result;
  };
}
