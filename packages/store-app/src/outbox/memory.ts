import type { KeptPhoto, TabletStore } from "./tablet-store.ts";

/** A store that forgets: for practice mode, of which nothing may stay. */
export function createMemory(): TabletStore {
  const entries = new Map<number, Uint8Array>();
  const photos = new Map<string, KeptPhoto>();
  const texts = new Map<string, string>();
  let last = 0;
  return {
    async addEntry(entry) {
      last += 1;
      entries.set(last, entry);
      return last;
    },
    async listEntries() {
      return [...entries].map(([number, entry]) => ({ number, entry }));
    },
    async removeEntry(number) {
      entries.delete(number);
    },
    async addPhoto(photo) {
      photos.set(photo.photoId, photo);
    },
    async listPhotos() {
      return [...photos.values()];
    },
    async removePhoto(photoId) {
      photos.delete(photoId);
    },
    async read(name) {
      return texts.get(name);
    },
    async write(name, text) {
      if (text === undefined) texts.delete(name);
      else texts.set(name, text);
    },
  };
}
