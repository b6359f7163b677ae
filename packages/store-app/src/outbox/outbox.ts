import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Entry, type EntryResult, EntrySchema } from "@petak/protocol/counter";
import { type CounterPort, SignedOutError, UnreachableError } from "../counter/port.ts";
import type { TabletStore } from "./tablet-store.ts";

/** How many entries go in one call. */
const batchMax = 50;

/** What came of an entry. `result` undefined: the agent cannot take it at all, and never will. */
export type OnAnswer = (entry: Entry, result: EntryResult | undefined) => void;

/** What clerks did and the agent has not answered yet. */
export interface Outbox {
  /** How many entries wait. */
  readonly waiting: number;
  /** Writes an entry to the disk, and sends it with those before it. Resolves once it is written and sending was tried. Throws if it cannot be written. */
  add(entry: Entry): Promise<void>;
  /** Writes an entry to the disk, to be sent with the next ones. Throws if it cannot be written. */
  keep(entry: Entry): Promise<void>;
  /** Sends what waits. False: some of it still waits, because the agent cannot be reached or nobody is signed in. */
  flush(): Promise<boolean>;
  /** Keeps a photo, to be sent before the next entries. */
  addPhoto(photoId: string, jpeg: Uint8Array): Promise<void>;
  /** Takes back an entry that has no answer. False: it had one. */
  withdraw(entryId: string): Promise<boolean>;
}

/**
 * Opens the outbox with what was left in it.
 *
 * @param onAnswer is called once for each entry, also for those of an earlier page
 * @param beforeAnswer is waited for before an answered entry leaves the disk
 */
export async function openOutbox(
  store: TabletStore,
  port: Pick<CounterPort, "submit" | "putPhoto">,
  onAnswer: OnAnswer,
  beforeAnswer: (result: EntryResult | undefined) => Promise<void> = async () => {},
): Promise<Outbox> {
  let waiting = (await store.listEntries()).length;
  let running: Promise<boolean> | undefined;

  /** Sends the first batch that waits. False: nothing waits any more. */
  async function sendBatch(): Promise<boolean> {
    const kept = (await store.listEntries()).slice(0, batchMax);
    if (kept.length === 0) return false;
    const entries = kept.map(({ number, entry }) => ({ number, entry: fromBinary(EntrySchema, entry) }));
    for (const { number, entry, result } of await submit(entries)) {
      await beforeAnswer(result);
      // In one moment with what the screen keeps of the answer: a page that is killed has both, or asks again.
      const removed = store.removeEntry(number);
      waiting -= 1;
      onAnswer(entry, result);
      await removed;
      waiting = (await store.listEntries()).length;
    }
    return true;
  }

  /** Submits entries together; where the agent cannot take them together, one by one, so that the one which it cannot take holds up no other. */
  async function submit(entries: readonly { number: number; entry: Entry }[]) {
    try {
      const results = await port.submit(entries.map(({ entry }) => entry));
      return entries.map((one, index) => ({ ...one, result: results[index] }));
    } catch (error) {
      if (error instanceof UnreachableError || error instanceof SignedOutError) throw error;
      const [only] = entries;
      if (entries.length === 1 && only !== undefined) return [{ ...only, result: undefined }];
      const answers: { number: number; entry: Entry; result: EntryResult | undefined }[] = [];
      for (const one of entries) answers.push(...(await submit([one])));
      return answers;
    }
  }

  async function sendPhotos(): Promise<void> {
    for (const { photoId, jpeg } of await store.listPhotos()) {
      try {
        await port.putPhoto(photoId, jpeg);
      } catch (error) {
        if (error instanceof UnreachableError || error instanceof SignedOutError) throw error;
      }
      await store.removePhoto(photoId);
    }
  }

  async function sendAll(): Promise<boolean> {
    try {
      await sendPhotos();
      while (await sendBatch());
      return true;
    } catch (error) {
      if (error instanceof UnreachableError || error instanceof SignedOutError) return false;
      throw error;
    }
  }

  async function keep(entry: Entry): Promise<void> {
    await store.addEntry(toBinary(EntrySchema, entry));
    waiting = (await store.listEntries()).length;
  }

  function flush(): Promise<boolean> {
    running ??= sendAll().finally(() => {
      running = undefined;
    });
    return running;
  }

  return {
    get waiting() {
      return waiting;
    },
    keep,
    async add(entry) {
      await keep(entry);
      // Whoever is sending may have looked before this entry was there.
      await running;
      await flush();
    },
    flush,
    addPhoto: (photoId, jpeg) => store.addPhoto({ photoId, jpeg }),
    async withdraw(entryId) {
      for (const { number, entry } of await store.listEntries()) {
        if (fromBinary(EntrySchema, entry).entryId !== entryId) continue;
        await store.removeEntry(number);
        waiting = (await store.listEntries()).length;
        return true;
      }
      return false;
    },
  };
}
