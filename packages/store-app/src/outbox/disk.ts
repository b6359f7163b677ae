import { type DBSchema, type IDBPTransaction, openDB } from "idb";
import type { KeptPhoto, TabletStore } from "./tablet-store.ts";

interface Schema extends DBSchema {
  entries: { key: number; value: Uint8Array };
  photos: { key: string; value: KeptPhoto };
  texts: { key: string; value: string };
}

type StoreName = "entries" | "photos" | "texts";
type Change = IDBPTransaction<Schema, StoreName[], "readwrite">;

const storeNames: StoreName[] = ["entries", "photos", "texts"];

/** Opens the tablet's own database. What is written is on the disk when the promise resolves. */
export async function openDisk(name = "petak-store"): Promise<TabletStore> {
  const database = await openDB<Schema>(name, 1, {
    upgrade(db) {
      db.createObjectStore("entries", { autoIncrement: true });
      db.createObjectStore("photos", { keyPath: "photoId" });
      db.createObjectStore("texts");
    },
    // A newer page of this app wants to upgrade: this one lets go, and reloads itself at its next write.
    blocking: (_from, _to, event) => (event.target as IDBDatabase).close(),
  });
  let now: Change | undefined;

  /** Changes something. All changes of one moment are one transaction, so a page that is killed has written all of them or none. */
  async function change<T>(make: (transaction: Change) => Promise<T>): Promise<T> {
    if (now === undefined) {
      now = database.transaction(storeNames, "readwrite", { durability: "strict" });
      queueMicrotask(() => {
        now = undefined;
      });
    }
    const [made] = await Promise.all([make(now), now.done]);
    return made;
  }

  return {
    addEntry: (entry) => change((transaction) => transaction.objectStore("entries").add(entry)),
    async listEntries() {
      const transaction = database.transaction("entries");
      const [numbers, entries] = await Promise.all([transaction.store.getAllKeys(), transaction.store.getAll()]);
      return numbers.flatMap((number, index) => {
        const entry = entries[index];
        return entry === undefined ? [] : [{ number, entry }];
      });
    },
    removeEntry: (number) => change((transaction) => transaction.objectStore("entries").delete(number)),
    async addPhoto(photo) {
      await change((transaction) => transaction.objectStore("photos").put(photo));
    },
    listPhotos: () => database.getAll("photos"),
    removePhoto: (photoId) => change((transaction) => transaction.objectStore("photos").delete(photoId)),
    read: (key) => database.get("texts", key),
    async write(key, text) {
      await change<unknown>((transaction) => {
        const texts = transaction.objectStore("texts");
        return text === undefined ? texts.delete(key) : texts.put(text, key);
      });
    },
  };
}
