import { ProblemError, problemOf } from "../gateway/problem.ts";
import { placeState } from "../sites/offer.ts";
import { nextAt, wallClockMs } from "../sites/open-state.ts";
import type { Core } from "./core.ts";
import type { Details } from "./details.ts";
import { findOthers, withOperators } from "./operators.ts";
import { findLeftOut, findOffers, type Query, type Source } from "./search.ts";

/** Searches for the places around the shopper's point. */
export interface Searcher {
  search(isSilent: boolean): Promise<void>;
  /** Refreshes what has expired. */
  tick(): void;
  stop(): void;
}

/** The shortest time between two refreshes, in ms. */
const refreshEveryMs = 20_000;

export function createSearcher({ ports, state, set, earlier, gatewayNow, selectFrom }: Core, details: Details): Searcher {
  const { settings, directory } = ports;
  const source: Source = { settings, directory, earlier };
  let searching = new AbortController();
  let searchedAtMs = 0;
  let again: ReturnType<typeof setTimeout> | undefined;

  /** @param isSilent the list stays until the answer comes, and after it fails */
  async function search(isSilent: boolean): Promise<void> {
    const { point, filters, operatorIds, limit } = state;
    if (point === undefined) return;
    searching.abort();
    searching = new AbortController();
    const { signal } = searching;
    clearTimeout(again);
    const openAtMs = findOpenAtMs();
    set(isSilent ? { openAtMs } : { openAtMs, searchingSinceMs: ports.now(), problem: undefined });
    const wantedMs = openAtMs ?? (filters.has("open-now") ? gatewayNow() : undefined);
    const query: Query = { point, filters, operatorIds, limit, openAtMs: wantedMs };
    try {
      const offers = await findOffers(source, query, signal);
      const leftOut = isSilent ? undefined : findOut(query, signal);
      // By a clock that is wrong everything may look expired.
      if (offers.every((offer) => placeState(offer, gatewayNow()) === "unknown")) await leftOut?.catch(() => undefined);
      searchedAtMs = ports.now();
      set({ offers, operators: withOperators(state.operators, offers), problem: undefined, searchingSinceMs: undefined });
      set({ selectedId: selectFrom(offers) });
      details.begin(wantedMs);
      // The list can do without it.
      await leftOut?.catch((error: unknown) => {
        if (!(error instanceof ProblemError)) throw error;
      });
    } catch (error) {
      if (signal.aborted) return;
      searchedAtMs = ports.now();
      const problem = problemOf(error);
      set({ problem, searchingSinceMs: undefined });
      ports.failed(problem);
      if (problem.retryAfterMs !== undefined) again = setTimeout(() => void search(isSilent), problem.retryAfterMs);
    }
  }

  /** When the hour is next that the shopper asks for: by the clock of a place that was found, or else by theirs. */
  function findOpenAtMs(): number | undefined {
    const { openAtMinute, offers = [], facts } = state;
    if (openAtMinute === undefined) return undefined;
    const known = offers.map(({ siteId }) => facts.get(siteId)?.timeZone).find((zone) => zone !== undefined);
    const nowMs = gatewayNow();
    const wallMs = wallClockMs(known ?? Intl.DateTimeFormat().resolvedOptions().timeZone, nowMs);
    return wallMs === undefined ? undefined : nextAt(openAtMinute, wallMs, nowMs);
  }

  /** Finds what is not offered, and learns what the gateway's clock shows: a shopper's own may be wrong by hours. */
  async function findOut(query: Query, signal: AbortSignal): Promise<void> {
    const { notOffered, countedAtMs } = await findLeftOut(source, query, signal);
    const operators = withOperators(state.operators, findOthers(settings, notOffered));
    set({ notOffered, operators, ...(countedAtMs !== undefined && { clockAheadMs: countedAtMs - ports.now() }) });
  }

  return {
    search,
    tick() {
      const isSeen = state.offers !== undefined && state.searchingSinceMs === undefined && (state.choice === undefined || state.isChanging);
      const hasExpired = state.problem?.isPassing === true || state.offers?.some((offer) => placeState(offer, gatewayNow()) === "unknown");
      if (isSeen && hasExpired === true && ports.now() - searchedAtMs >= refreshEveryMs) {
        searchedAtMs = ports.now();
        void search(true);
      }
    },
    stop() {
      searching.abort();
      clearTimeout(again);
    },
  };
}
