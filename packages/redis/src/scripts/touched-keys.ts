/** Hears of the keys that a script was given, when the script has run. */
export type KeysListener = (keys: readonly string[]) => void;

const listenersBy = new WeakMap<object, Set<KeysListener>>();

/** Calls a listener after each script that runs over a connection, before its caller goes on. Gives the way to end it. */
export function onKeysTouched(connection: object, listener: KeysListener): () => void {
  const listeners = listenersBy.get(connection) ?? new Set();
  listenersBy.set(connection, listeners.add(listener));
  return () => void listeners.delete(listener);
}

/** Says that a script has run, or may have: where it failed nobody knows how far it came. */
export function tellKeysTouched(connection: object, keys: readonly string[]): void {
  for (const listener of listenersBy.get(connection) ?? []) listener(keys);
}
