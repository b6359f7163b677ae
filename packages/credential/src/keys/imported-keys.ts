/** Imports public keys, each once while it is kept. */
export interface ImportedKeys<Key> {
  /** The key with these bytes, as it was imported. Rejects as the platform does, where it is none. */
  imported(publicKey: Uint8Array): Promise<Key>;
}

/**
 * Keeps at most `max` keys, the least recently used forgotten first: however many come by that are used once, those that verify all day stay.
 */
export function createImportedKeys<Key>(max: number, importKey: (publicKey: Uint8Array) => Promise<Key>): ImportedKeys<Key> {
  const keys = new Map<string, Promise<Key>>();
  return {
    imported(publicKey) {
      const name = String.fromCharCode(...publicKey);
      const key = keys.get(name) ?? importKey(publicKey);
      // A Map keeps the order of insertion: put again, it is the youngest.
      keys.delete(name);
      keys.set(name, key);
      if (keys.size > max) {
        const [oldest] = keys.keys();
        if (oldest !== undefined) keys.delete(oldest);
      }
      return key;
    },
  };
}
