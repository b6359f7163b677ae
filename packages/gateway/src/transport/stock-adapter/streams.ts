/** Gives each message to `check` before it goes on. What `check` throws ends the stream. */
export async function* tap<T>(messages: AsyncIterable<T>, check: (message: T) => void): AsyncGenerator<T, void, undefined> {
  for await (const message of messages) {
    check(message);
    yield message;
  }
}

/** The same messages; what the stream throws is turned into what `map` makes of it. */
export async function* mapErrors<T>(messages: AsyncIterable<T>, map: (thrown: unknown) => unknown): AsyncGenerator<T, void, undefined> {
  try {
    yield* messages;
  } catch (thrown) {
    throw map(thrown);
  }
}

/** The promise's result, or a rejection with the signal's reason, whichever comes first. Leaves no listener behind. */
export function untilAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
