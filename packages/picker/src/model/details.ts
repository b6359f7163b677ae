import { ProblemError } from "../gateway/problem.ts";
import type { Offer } from "../sites/offer.ts";
import { openStateAt, wallClockMs } from "../sites/open-state.ts";
import type { Core } from "./core.ts";

/** Loads the facts of sites that a search does not tell: those of the rows that come into view, so that a list costs few calls. */
export interface Details {
  /** There are other offers. @param openAtMs when each is said to be open, in ms by the gateway's clock; undefined: nothing is said */
  begin(openAtMs: number | undefined): void;
  /** A site's row is in view, or nearly. */
  see(siteId: string): void;
  stop(): void;
}

/** How many sites are asked for at a time. */
const atOnce = 3;

export function createDetails({ ports, state, earlier }: Core): Details {
  const ending = new AbortController();
  const seen = new Set<string>();
  /** Those that were asked for since the last search: what fails is left out until the next. */
  const asked = new Set<string>();
  let underWay = 0;
  let openAtMs: number | undefined;

  function isWanted({ siteId, revision }: Offer): boolean {
    return seen.has(siteId) && !asked.has(siteId) && state.facts.get(siteId)?.revision !== revision;
  }

  /** A gateway that knows no `open_at` may ignore it: then something closed is among the offers. */
  function check({ siteId, revision }: Offer): void {
    const { openingHours, timeZone = "", revision: known } = state.facts.get(siteId) ?? {};
    const wallMs = openAtMs === undefined ? undefined : wallClockMs(timeZone, openAtMs);
    if (openingHours === undefined || wallMs === undefined || known !== revision) return;
    if (!openStateAt(openingHours, wallMs).isOpen) earlier.found("OPEN_AT_IGNORED");
  }

  /** Asks for the nearest first. */
  function fill(): void {
    for (const offer of state.offers ?? []) {
      if (underWay >= atOnce) return;
      if (isWanted(offer)) void load(offer);
    }
  }

  async function load(offer: Offer): Promise<void> {
    const { siteId } = offer;
    asked.add(siteId);
    underWay += 1;
    try {
      const { site } = await ports.directory.call("GetSite", { siteId }, ending.signal);
      if (site !== undefined) state.facts.set(siteId, site);
      check(offer);
      ports.changed();
    } catch (error) {
      if (!(error instanceof ProblemError) && !ending.signal.aborted) throw error;
    } finally {
      underWay -= 1;
    }
    if (!ending.signal.aborted) fill();
  }

  return {
    begin(wantedMs) {
      openAtMs = wantedMs;
      asked.clear();
      for (const offer of state.offers ?? []) check(offer);
      fill();
    },
    see(siteId) {
      seen.add(siteId);
      fill();
    },
    stop: () => ending.abort(),
  };
}
