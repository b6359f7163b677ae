/** Called with the keys passed to a script, after the script has run. */
export type KeysListener = (keys: readonly string[]) => void;

const listenersBy = new WeakMap<object, Set<KeysListener>>();

/**
 * Calls a listener after each script that runs over a connection, before the script's caller continues. Returns a function that removes the
 * listener.
 */
export function onKeysTouched(connection: object, listener: KeysListener): () => void {
  const listeners = listenersBy.get(connection) ?? new Set();
  listenersBy.set(connection, listeners.add(listener));
  return () => void listeners.delete(listener);
}

/** Notifies listeners that a script has run on these keys. Also called when a script failed, since it may have changed some of them. */
export function notifyKeysTouched(connection: object, keys: readonly string[]): void {
  for (const listener of listenersBy.get(connection) ?? []) listener(keys);
}
