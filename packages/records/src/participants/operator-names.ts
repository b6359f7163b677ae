import type { Site } from "@petak/protocol";
import type { ParticipantStore } from "./participant-store.ts";

/** A cache of participants' names, of operators above all. */
export interface OperatorNames {
  /** The name of a participant; empty if there is none with the id. Synchronous if it is in memory. */
  of(participantId: string): string | Promise<string>;
  /** The names of the operators of sites, in the same order. Synchronous if all are in memory. */
  at(sites: readonly (Site | undefined)[]): string[] | Promise<string[]>;
  /** Empties the cache. */
  clear(): void;
}

/** Names that are cached: 100 B each. */
const cachedMax = 10_000;

/** How long it is remembered that a participant was not found, in ms. A name never changes. */
const unknownMs = 10_000;

/** Creates a cache of names over the store. @param now the gateway's time, in ms */
export function createOperatorNames(participants: Pick<ParticipantStore, "find">, now: () => number): OperatorNames {
  const cache = new Map<string, { name: string; untilMs: number }>();

  async function look(operatorId: string): Promise<string> {
    const found = await participants.find(operatorId);
    if (cache.size >= cachedMax) cache.clear();
    const known = { name: found?.displayName ?? "", untilMs: found === undefined ? now() + unknownMs : Number.POSITIVE_INFINITY };
    cache.set(operatorId, known);
    return known.name;
  }

  function known(operatorId: string): string | undefined {
    const kept = cache.get(operatorId);
    return kept !== undefined && (kept.untilMs === Number.POSITIVE_INFINITY || kept.untilMs > now()) ? kept.name : undefined;
  }

  return {
    of: (operatorId) => known(operatorId) ?? look(operatorId),
    at(sites) {
      const names: string[] = [];
      for (const site of sites) {
        const name = site === undefined ? "" : known(site.operatorId);
        if (name === undefined)
          return Promise.all(
            sites.map(async (each) => (each === undefined ? "" : (known(each.operatorId) ?? (await look(each.operatorId))))),
          );
        names.push(name);
      }
      return names;
    },
    clear: () => cache.clear(),
  };
}
