import { clone, create } from "@bufbuild/protobuf";
import {
  CounterSchema,
  type Entry,
  type EntryResult,
  EntryResultSchema,
  ParcelSchema,
  SignInResponseSchema,
} from "@petak/protocol/counter";
import type { CounterPort } from "../port.ts";
import { applyEntry } from "./apply-entry.ts";
import { madeUpCodes } from "./made-up-codes.ts";
import { createPracticeState, describe } from "./practice-state.ts";

/** A made-up store in memory, which begins anew each time. @param name of the store that is practised in */
export function createPracticePort(name: string, tabletId: string, now: () => number): CounterPort {
  const state = createPracticeState(name, tabletId, now);
  const photos = new Map<string, Uint8Array>();
  const answers = new Map<string, EntryResult>();
  let changed = Promise.withResolvers<void>();
  const counter = () => clone(CounterSchema, describe(state));

  function submitOne(entry: Entry): EntryResult {
    const answer = answers.get(entry.entryId) ?? clone(EntryResultSchema, { ...applyEntry(state, entry), entryId: entry.entryId });
    answers.set(entry.entryId, answer);
    return answer;
  }

  return {
    isPractice: true,
    getCounter: async () => counter(),
    signIn: async () => create(SignInResponseSchema, { counter: counter() }),
    signOut: async () => {},
    async *watch(signal) {
      const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      while (!signal.aborted) {
        const next = changed.promise;
        yield counter();
        await Promise.race([next, stopped]);
      }
    },
    async listParcels(known) {
      const { version, all } = state.shelf;
      return known === version ? undefined : { version, parcels: all.map(({ parcel }) => clone(ParcelSchema, parcel)) };
    },
    async submit(entries) {
      const results = entries.map(submitOne);
      changed.resolve();
      changed = Promise.withResolvers();
      return results;
    },
    async putPhoto(photoId, jpeg) {
      photos.set(photoId, jpeg);
    },
    getPhoto: async (photoId) => photos.get(photoId),
    madeUpCodes: (next) => madeUpCodes(state, next),
  };
}
