import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { PetakClient } from "@petak/client/node";
import { AvailabilityState, type Event, EventType, type Site, type SiteCondition, SiteKind } from "@petak/protocol";
import { pagesOf } from "../pages.ts";
import { isSameDay, localTime } from "./local-time.ts";

/** Parcels that came to a store, and that left it. */
export interface Handled {
  in: number;
  out: number;
}

/** How a store stands, by what its operator may know. */
export interface StoreState {
  readonly site: Site;
  /** Places with a parcel, places held, and places that can be promised. Undefined: the gateway has no valid counts. */
  readonly counts: { readonly inside: number; readonly expected: number; readonly free: number } | undefined;
  readonly overdue: number;
  readonly today: Handled;
  /** Only if the month was asked for. */
  readonly month: Handled;
  /** When the device's last report was recorded, of those that were looked at, in ms. Undefined: there is none. */
  readonly lastReportMs: number | undefined;
  /** The last thing that was wrong with the device today. */
  readonly condition: SiteCondition | undefined;
}

/** Sites of a page, events of a page, reservations of a page, and sites of GetAvailability: the protocol's limits. */
const [sitesMax, eventsMax, reservationsMax, availabilitiesMax] = [500, 1000, 500, 100];

const dayMs = 86_400_000;

/** The stores of an operator that are not retired, by name. @param siteIds only these; empty: all */
export async function storesOf({ directory }: PetakClient, operatorId: string, siteIds: readonly string[]): Promise<Site[]> {
  const stores: Site[] = [];
  for (let cursor = "", hasMore = true; hasMore; ) {
    const page = await directory.listSites({ operatorIds: [operatorId], cursor, pageSize: sitesMax });
    stores.push(...page.sites.filter(({ kind }) => kind === SiteKind.COLLECTION_POINT));
    ({ nextCursor: cursor, hasMore } = page);
  }
  // A site that changes while the pages are read comes again.
  const latest = [...new Map(stores.map((site) => [site.siteId, site])).values()];
  const wanted = siteIds.length === 0 ? latest : latest.filter(({ siteId }) => siteIds.includes(siteId));
  return wanted.toSorted((one, other) => one.name.localeCompare(other.name) || one.siteId.localeCompare(other.siteId));
}

/** Reads how stores stand. @param withMonth whether the events of the whole month are read, and not of two days only */
export async function readStores(
  client: PetakClient,
  stores: readonly Site[],
  { nowMs, withMonth }: { nowMs: number; withMonth: boolean },
): Promise<StoreState[]> {
  const overdue = await overdueAt(client);
  const counts = await countsOf(client, stores);
  const work = new Map(stores.map((site) => [site.siteId, newWork(site, nowMs)]));
  // A day begins at most 26 h before it ends anywhere, a month 31 days and as much.
  const fromMs = nowMs - (withMonth ? 32 : 2) * dayMs;
  for await (const event of eventsSince(client, fromMs)) work.get(event.siteId)?.add(event);
  return stores.map((site) => ({
    site,
    counts: counts.get(site.siteId),
    overdue: overdue.get(site.siteId) ?? 0,
    ...(work.get(site.siteId) ?? newWork(site, nowMs)).done(),
  }));
}

async function countsOf({ directory }: PetakClient, stores: readonly Site[]): Promise<Map<string, StoreState["counts"]>> {
  const found = new Map<string, StoreState["counts"]>();
  for (let at = 0; at < stores.length; at += availabilitiesMax) {
    const siteIds = stores.slice(at, at + availabilitiesMax).map(({ siteId }) => siteId);
    for (const { siteId, state, sizeClasses } of (await directory.getAvailability({ siteIds })).availabilities) {
      const sum = (of: (one: (typeof sizeClasses)[number]) => number) => sizeClasses.reduce((total, one) => total + of(one), 0);
      const counts = { inside: sum((one) => one.occupied), expected: sum((one) => one.held), free: sum((one) => one.freeToPromise) };
      found.set(siteId, state === AvailabilityState.KNOWN ? counts : undefined);
    }
  }
  return found;
}

async function overdueAt({ reservations }: PetakClient): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const page of pagesOf((cursor) => reservations.listReservations({ overdue: true, cursor, pageSize: reservationsMax }))) {
    for (const { siteId } of page.reservations) found.set(siteId, (found.get(siteId) ?? 0) + 1);
  }
  return found;
}

async function* eventsSince({ custody }: PetakClient, fromMs: number): AsyncGenerator<Event> {
  const range = { from: timestampFromMs(fromMs) };
  for (let cursor = "", hasMore = true; hasMore; ) {
    const page = await custody.listEvents(cursor === "" ? { range, pageSize: eventsMax } : { cursor, pageSize: eventsMax });
    yield* page.events;
    ({ nextCursor: cursor, hasMore } = page);
  }
}

const directions: Readonly<Partial<Record<EventType, keyof Handled>>> = {
  [EventType.PARCEL_DEPOSITED]: "in",
  [EventType.PARCEL_COLLECTED]: "out",
  [EventType.PARCEL_RECALLED]: "out",
};

/** Adds up the events of one store. */
function newWork({ timeZone }: Site, nowMs: number) {
  const now = localTime(timeZone, nowMs);
  const [today, month]: [Handled, Handled] = [
    { in: 0, out: 0 },
    { in: 0, out: 0 },
  ];
  let lastReportMs: number | undefined;
  let condition: SiteCondition | undefined;
  return {
    add({ type, occurredAt, recordedAt, proof, siteCondition }: Event): void {
      const is = isSameDay(localTime(timeZone, occurredAt === undefined ? nowMs : timestampMs(occurredAt)), now);
      const direction = directions[type];
      if (direction !== undefined && is.month) month[direction] += 1;
      if (direction !== undefined && is.day) today[direction] += 1;
      if (siteCondition !== undefined && is.day) condition = siteCondition;
      // What the gateway has counted, and alarms, are told by the device too.
      if ((proof?.agentKeyId ?? "") !== "" && recordedAt !== undefined) lastReportMs = Math.max(lastReportMs ?? 0, timestampMs(recordedAt));
    },
    done: () => ({ today, month, lastReportMs, condition }),
  };
}
