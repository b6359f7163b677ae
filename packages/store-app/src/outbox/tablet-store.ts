/** What the tablet keeps of an entry that has no answer yet. */
export interface KeptEntry {
  /** Rises with each entry; they are sent in this order. */
  readonly number: number;
  /** The entry, in the wire's binary form. */
  readonly entry: Uint8Array;
}

/** A photo that is not at the store yet. */
export interface KeptPhoto {
  readonly photoId: string;
  readonly jpeg: Uint8Array;
}

/**
 * Where a tablet keeps what must outlive a reload. Everything that it returns was written before. What is changed without waiting in between is written together or
 * not at all.
 */
export interface TabletStore {
  /** Keeps an entry, and returns its number. */
  addEntry(entry: Uint8Array): Promise<number>;
  /** All entries that were not removed, in their order. */
  listEntries(): Promise<readonly KeptEntry[]>;
  removeEntry(number: number): Promise<void>;
  addPhoto(photo: KeptPhoto): Promise<void>;
  listPhotos(): Promise<readonly KeptPhoto[]>;
  removePhoto(photoId: string): Promise<void>;
  /** A text by its name. Undefined: there is none. */
  read(name: string): Promise<string | undefined>;
  /** Replaces a text. Undefined: removes it. */
  write(name: string, text: string | undefined): Promise<void>;
}
