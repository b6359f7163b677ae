/** Passes each message to `check` before it goes on. An error of `check` ends the stream. */
export async function* tap<T>(messages: AsyncIterable<T>, check: (message: T) => void): AsyncGenerator<T, void, undefined> {
  for await (const message of messages) {
    check(message);
    yield message;
  }
}

/** Passes the messages on. An error of the stream is replaced by the one that `map` returns for it. */
export async function* mapErrors<T>(
  messages: AsyncIterable<T>,
  map: (thrown: unknown) => unknown | Promise<unknown>,
): AsyncGenerator<T, void, undefined> {
  try {
    yield* messages;
  } catch (thrown) {
    throw await map(thrown);
  }
}
