import { create } from "@bufbuild/protobuf";
import { EventSchema, LiveReservations, parseSiteId, type Region, ReservationSchema, type Site } from "@petak/protocol";
import type { Records } from "../../records.ts";
import { storedCandidate } from "../../reservations/candidates.ts";
import type { StoredSite } from "../../sites/site-store.ts";
import type { ReportOutcome } from "../capacity-reports.ts";
import type { ModelParcel, Snapshot } from "./site-model.ts";

const participantId = "par_0000000000000009";

/** Reads the site. */
export async function readSite(records: Records, siteId: string): Promise<StoredSite> {
  const stored = await records.sites.find(siteId);
  if (stored === undefined) throw new Error(`no site ${siteId}`);
  return stored;
}

/** Holds a place of the first class that has one. Returns the parcel, or undefined if none has. */
export async function hold(
  records: Records,
  siteId: string,
  number: number,
  classIndexes: readonly number[],
): Promise<ModelParcel | undefined> {
  const stored = await readSite(records, siteId);
  const { site } = stored;
  const requestId = `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
  const request = {
    participantId,
    requestId,
    fingerprint: Buffer.from(requestId.slice(-16)),
    isBound: true,
    homeRegion: parseSiteId(siteId)?.region as Region,
    reservation: create(ReservationSchema, { participantId, revision: 1 }),
    deadlineMs: 2_000_000_000_000,
    event: (reservationId: string) => create(EventSchema, { reservationId }),
  };
  const classes = classIndexes.map((index) => ({ index, sizeClassId: site.sizeClasses[index]?.sizeClassId ?? "" }));
  const candidate = storedCandidate(stored, classes);
  const outcome = await records.holds.take(request, [candidate], async () => candidate);
  if (outcome.tag === "none") return undefined;
  const { reservationId, sizeClassId } = outcome.reservation;
  const classIndex = site.sizeClasses.findIndex((sizeClass) => sizeClass.sizeClassId === sizeClassId);
  return { reservationId, classIndex, is: "held", recorded: "held", movedAtMs: { inside: 0, over: 0 } };
}

/** Records the next movement of a parcel: its deposit, its collection, or, if it was never deposited, the end of its hold. */
export async function recordStep(records: Records, siteId: string, parcel: ModelParcel): Promise<void> {
  const { recorded, movedAtMs } = parcel;
  const isGivenBack = recorded === "held" && movedAtMs.inside === 0;
  const to = recorded === "held" && !isGivenBack ? "inside" : "over";
  for (;;) {
    const before = await records.reservations.find(parcel.reservationId);
    if (before === undefined) throw new Error(`no reservation ${parcel.reservationId}`);
    const { tag } = await records.reservations.apply({
      before,
      after: { ...before, revision: before.revision + 1 },
      site: await readSite(records, siteId),
      heldChange: recorded === "held" ? -1 : 0,
      occupiedChange: isGivenBack ? 0 : to === "inside" ? 1 : -1,
      ...(isGivenBack ? {} : { movedAtMs: movedAtMs[to] }),
      events: [],
    });
    if (tag === "done") break;
    if (tag !== "stale") throw new Error(`a transition returned ${tag}`);
  }
  parcel.recorded = to;
}

/** Sends a report. */
export async function sendReport(
  records: Records,
  siteId: string,
  what: Snapshot | "reporting_ended",
  observedAtMs: number,
  nowMs: number,
): Promise<ReportOutcome> {
  const ttlS = what === "reporting_ended" ? 300 : what.ttlS;
  const classesOf = () => (what === "reporting_ended" ? what : what.classes);
  return await records.capacityReports.record({ siteId, observedAtMs, ttlS, classesOf }, await readSite(records, siteId), nowMs);
}

/** Changes the site's facts: its places, its name or its position. */
export async function rewrite(records: Records, siteId: string, change: Partial<Site>, nowMs: number): Promise<void> {
  const { site } = await readSite(records, siteId);
  await records.sites.put({ ...site, ...change }, nowMs, LiveReservations.DRAIN);
}
