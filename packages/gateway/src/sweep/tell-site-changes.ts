import { create } from "@bufbuild/protobuf";
import { cancelWithSite, isLiveBefore, knowsSiteRevision, ownSiteChange, siteChanged, type WritingTransition } from "@petak/lifecycle";
import {
  LiveReservations,
  PetakError,
  type Region,
  type Reservation,
  ReservationState,
  type Site,
  type SiteChange,
  SiteChangeKind,
  SiteChangeSchema,
} from "@petak/protocol";
import {
  canBeKept,
  isAlwaysTold,
  movedM,
  type PendingSite,
  type Records,
  type SiteChangeDuty,
  type StoredSite,
  siteDifference,
} from "@petak/records";
import { isStoreFailure } from "@petak/redis";
import { holdsPlace, lackingPlaces, lackingReservations, plannedShortage } from "./short-places.ts";

const S = ReservationState;

export interface SiteChangeDependencies {
  records: Pick<Records, "events" | "queues" | "reservations" | "siteChanges" | "siteHolders" | "sites">;
  now: () => number;
  signal: AbortSignal;
  onError: (error: unknown) => void;
}

/** Reservations that are told concurrently: as many as the store combines into one step. */
const concurrency = 32;

/** Attempts to tell a reservation that is changed concurrently. */
const attemptsMax = 8;

/** Passes over one region before the next one gets its turn. */
const passesMax = 8;

/**
 * Tells the live reservations of a region of the changes of their sites, and of places that they lack, and cancels those that their operator wants cancelled. What is
 * told is recorded with each reservation, so that a repetition after a crash, or by another gateway, tells nobody twice. The duties of a site are deleted when all have
 * been told; a reservation that cannot be told keeps them, for a later round.
 *
 * @throws the failure of the store.
 */
export async function tellSiteChanges(dependencies: SiteChangeDependencies, region: Region): Promise<void> {
  for (let pass = 0; pass < passesMax; pass++) {
    const nowMs = dependencies.now();
    // The gateway does not know the store's time yet.
    if (!Number.isFinite(nowMs)) return;
    const pending = await dependencies.records.siteChanges.pending(region, nowMs);
    if (pending.length === 0) return;
    if (!(await tellSites(dependencies, region, pending, nowMs))) return;
  }
}

/** A site of which its reservations are told in one pass. */
interface ToldSite extends PendingSite {
  /** The site with its counts, and how many reservations of each size class lack a place, if it has or had a shortage. */
  short: { stored: StoredSite; lacking: readonly number[] } | undefined;
}

/** Tells the reservations of some sites in one pass over those of the region. False: there was nothing to tell. @param beganMs when the pass began, in ms since 1970 */
async function tellSites(
  dependencies: SiteChangeDependencies,
  region: Region,
  pending: readonly PendingSite[],
  beganMs: number,
): Promise<boolean> {
  const { records, now, signal, onError } = dependencies;
  const all = await Promise.all(pending.map(async (site): Promise<ToldSite> => ({ ...site, short: await shortageOf(dependencies, site) })));
  const sites = new Map(all.filter(hasNews).map((site) => [site.siteId, site]));
  const holders = new Map<string, Reservation>();
  const failed = new Set<string>();
  const tryTell = async (reservation: Reservation, tellOne: () => Promise<unknown>) => {
    try {
      signal.throwIfAborted();
      await tellOne();
    } catch (error) {
      if (signal.aborted || isStoreFailure(error)) throw error;
      // It is gone since it was read: nobody is left to be told.
      if (error instanceof PetakError && error.reason === "RESERVATION_NOT_FOUND") return;
      onError(error);
      for (const siteId of concernedBy(reservation)) failed.add(siteId);
    }
  };
  const tellAll = async (some: readonly Reservation[], tellOne: (reservation: Reservation) => Promise<unknown>) => {
    for (let from = 0; from < some.length; from += concurrency) {
      await Promise.all(some.slice(from, from + concurrency).map((one) => tryTell(one, () => tellOne(one))));
    }
  };
  if (sites.size > 0) {
    await records.siteHolders.visit(region, [...sites.keys()], async (some) => {
      for (const one of some) if (holdsPlace(one) && sites.get(one.siteId)?.short !== undefined) holders.set(one.reservationId, one);
      await tellAll(some, (one) => tellOne(dependencies, sites, one));
    });
  }
  for (const { siteId, short } of sites.values()) {
    if (short === undefined) continue;
    const here = [...holders.values()].filter((one) => one.siteId === siteId);
    const lacking = lackingReservations(here, short.stored, short.lacking);
    await tellAll(here, (one) =>
      tell(dependencies, one, (before) => plannedShortage(before, short.stored, lacking.has(before.reservationId), now())),
    );
  }
  for (const site of all) {
    if (failed.has(site.siteId)) await records.siteChanges.putOff(site.siteId, beganMs);
    // A site that has ended has no shortage any more.
    else if (site.short === undefined) await records.siteChanges.settle({ ...site, shortage: undefined }, [], beganMs);
    else await records.siteChanges.settle(site, site.short.lacking, sites.has(site.siteId) ? beganMs : undefined);
  }
  return sites.size > 0;
}

async function shortageOf({ records }: SiteChangeDependencies, { siteId, shortage }: PendingSite): Promise<ToldSite["short"]> {
  if (shortage === undefined) return undefined;
  const stored = await records.sites.find(siteId);
  return stored && { stored, lacking: lackingPlaces(stored, shortage) };
}

/** Whether there is something to tell. A shortage that is as it was told is none. */
function hasNews({ duties, shortage, short }: ToldSite): boolean {
  if (duties.length > 0) return true;
  return short?.lacking.some((count, index) => count !== (shortage?.told[index] ?? 0)) ?? false;
}

/** The sites at which a reservation holds a place or waits. */
function concernedBy({ siteId, queuedSiteIds }: Reservation): ReadonlySet<string> {
  return new Set([siteId, ...queuedSiteIds]);
}

/** Tells one reservation of the changes of the sites at which it holds a place or waits. */
async function tellOne(
  dependencies: SiteChangeDependencies,
  sites: ReadonlyMap<string, PendingSite>,
  reservation: Reservation,
): Promise<void> {
  let current = reservation;
  for (const siteId of concernedBy(reservation)) {
    const duty = joined(current, sites.get(siteId)?.duties ?? []);
    if (duty !== undefined)
      current = await tell(dependencies, current, (before) => planned(dependencies, before, duty, dependencies.now()));
  }
}

/** All changes of one site that a reservation does not know, as one: a site that is paused and back before anybody was told concerns nobody. */
function joined(reservation: Reservation, duties: readonly SiteChangeDuty[]): SiteChangeDuty | undefined {
  const news = duties.filter(({ after }) => after.siteId !== reservation.siteId || !knowsSiteRevision(reservation, after.revision));
  const [first, last] = [news[0], news.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const isCancelled = news.some(({ live }) => live === LiveReservations.CANCEL);
  return { before: first.before, after: last.after, live: isCancelled ? LiveReservations.CANCEL : last.live };
}

/** Tells a reservation what `plan` says of it as it is. Returns the reservation as it is then. */
async function tell(
  { records }: SiteChangeDependencies,
  reservation: Reservation,
  plan: (before: Reservation) => Promise<WritingTransition | undefined> | WritingTransition | undefined,
): Promise<Reservation> {
  let current = reservation;
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const transition = await plan(current);
    if (transition === undefined) return current;
    if ((await records.reservations.apply(transition)).tag === "done") return transition.after;
    const again = await records.reservations.find(current.reservationId);
    if (again === undefined) return current;
    current = again;
  }
  throw new Error(`reservation ${reservation.reservationId} was changed too often to be told of a change of its site`);
}

/** What a change of a site does to a reservation; undefined: nothing. */
async function planned(
  dependencies: SiteChangeDependencies,
  before: Reservation,
  duty: SiteChangeDuty,
  atMs: number,
): Promise<WritingTransition | undefined> {
  const { siteId, revision } = duty.after;
  const isOwn = before.siteId === siteId;
  if (!(isLiveBefore(before) || before.state === S.DEPOSITED) || (isOwn && knowsSiteRevision(before, revision))) return undefined;
  const kinds = siteDifference(duty.before, duty.after);
  if (kinds.length === 0 && duty.live !== LiveReservations.CANCEL) return undefined;
  const told = ownSiteChange(before);
  const change = create(SiteChangeSchema, {
    siteId: before.siteId,
    kinds,
    movedM: (isOwn ? Math.ceil(movedM(duty.before, duty.after)) : 0) + (told?.movedM ?? 0),
    number: (before.siteChange?.number ?? 0) + 1,
    siteRevision: isOwn ? revision : Math.max(before.siteRevision, told?.siteRevision ?? 0),
    lacksPlace: holdsPlace(before) && told?.lacksPlace === true,
  });
  const isKept = (site: Site) => !change.lacksPlace && canBeKept(before, site, atMs);
  if (before.state === S.QUEUED) return await plannedInQueue(dependencies, before, change, duty, atMs);
  if (!isOwn) return undefined;
  if (duty.live === LiveReservations.CANCEL && isLiveBefore(before)) return cancelWithSite(before, change, atMs);
  change.canBeKept = isKept(duty.after);
  if (!isAlwaysTold(kinds) && isKept(duty.before) === change.canBeKept) return undefined;
  return siteChanged(before, change, atMs);
}

/**
 * The same for a reservation in queues: it can be kept while one of its sites can serve it. It is told when that changes, and when one of them moves, and
 * cancelled with the last site at which it waits.
 */
async function plannedInQueue(
  dependencies: SiteChangeDependencies,
  before: Reservation,
  change: SiteChange,
  duty: SiteChangeDuty,
  atMs: number,
): Promise<WritingTransition | undefined> {
  const { siteId, revision } = duty.after;
  const isOwn = siteId === before.siteId;
  const servesQueue = (site: Site | undefined) => site !== undefined && canBeKept(before, site, atMs);
  const waitsAt = await dependencies.records.queues.waitsAt(before.reservationId);
  change.canBeKept = (await dependencies.records.sites.facts(waitsAt)).some(servesQueue);
  // What is told of another site: the reservation keeps what it knows of its own.
  const told = isOwn ? change : { ...change, siteId, siteRevision: revision, movedM: Math.ceil(movedM(duty.before, duty.after)) };
  const isCancelled = duty.live === LiveReservations.CANCEL && (isOwn || waitsAt.length === 0);
  if (isCancelled && !change.canBeKept) return cancelWithSite(before, told, atMs);
  const couldBeKept = before.siteChange?.canBeKept ?? true;
  if (couldBeKept === change.canBeKept && !change.kinds.includes(SiteChangeKind.MOVED)) return undefined;
  if (!isOwn && (await wasTold(dependencies, before, duty.after))) return undefined;
  return siteChanged(before, change, atMs, told);
}

/** Whether a reservation was told of a change of a site that is not its own, by its events. Correct for the revision of the reservation that was read before. */
async function wasTold({ records }: SiteChangeDependencies, { reservationId }: Reservation, { siteId, revision }: Site): Promise<boolean> {
  const chain = await records.events.chain(reservationId);
  return chain.some(({ siteChange }) => siteChange?.siteId === siteId && siteChange.siteRevision >= revision);
}
