/** A cache of imported public keys. */
export interface ImportedKeys<Key> {
  /** The imported key of 32 bytes. Rejects with the platform's error if they are not a key. */
  imported(publicKey: Uint8Array): Promise<Key>;
}

/**
 * An LRU cache of at most `max` keys: keys in constant use stay, however many others are used once.
 */
export function createImportedKeys<Key>(max: number, importKey: (publicKey: Uint8Array) => Promise<Key>): ImportedKeys<Key> {
  const keys = new Map<string, Promise<Key>>();
  return {
    imported(publicKey) {
      const name = String.fromCharCode(...publicKey);
      const key = keys.get(name) ?? importKey(publicKey);
      // A Map keeps insertion order: inserting it again makes it the newest.
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
