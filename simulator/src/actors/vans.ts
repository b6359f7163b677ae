import type { City, Errand } from "./city.ts";
import { doErrand } from "./door.ts";
import type { Moment } from "./moment.ts";
import { nextHourOf } from "./opening.ts";

/** The couriers' vans: each courier's leave at the same hours, with all parcels that are ready, and stop once at each site. */
export function createVans(city: () => City): City["nextRound"] {
  let next: ((atMs: number) => number) | undefined;
  /** What each courier does on each round, by the time at which it begins. */
  const rounds = new Map<string, Errand[]>();

  async function leave(key: string, moment: Moment): Promise<void> {
    const errands = rounds.get(key) ?? [];
    rounds.delete(key);
    const stops = Map.groupBy(
      errands.filter(({ life }) => life.phase !== "over"),
      ({ life }) => life.siteId ?? "",
    );
    const { stopMs, stopsPerVan } = city().parameters;
    const eastOf = (siteId: string) => city().sites.positionOf(siteId)?.longitude ?? 0;
    const inOrder = [...stops].toSorted(([a], [b]) => eastOf(a) - eastOf(b));
    for (const [index, [siteId, here]] of inOrder.entries()) {
      city().schedule.at(moment.planMs + (1 + (index % stopsPerVan)) * stopMs, (at) => stop(siteId, here, at));
    }
  }

  async function stop(siteId: string, errands: readonly Errand[], moment: Moment): Promise<void> {
    const { sites, startAtMs, nextRound } = city();
    const site = await sites.find(siteId);
    const opensMs = site === undefined ? moment.planMs : sites.opens(site, startAtMs + moment.planMs) - startAtMs;
    for (const errand of errands) {
      if (opensMs > moment.planMs) nextRound(opensMs, errand);
      else await doErrand(city(), errand, { planMs: moment.planMs, dueMs: city().doneMs() });
    }
  }

  return (planMs, errand) => {
    const { startAtMs, timeZone, parameters, schedule } = city();
    next ??= nextHourOf(parameters.roundHours, timeZone);
    const leaveMs = next(startAtMs + planMs) - startAtMs;
    const key = `${errand.life.courier.participantId} ${leaveMs}`;
    const known = rounds.get(key);
    if (known !== undefined) known.push(errand);
    else {
      rounds.set(key, [errand]);
      schedule.at(leaveMs, (moment) => leave(key, moment));
    }
  };
}
