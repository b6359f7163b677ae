import type { Position } from "@petak/allocator";
import { HoldKind, type Site } from "@petak/protocol";
import { type MoreFacts, makeSite, type SiteFacts } from "@petak/testkit";
import type { Records } from "../../records.ts";
import { type HoldCandidate, storedCandidate } from "../candidates.ts";
import type { HoldOutcome, HoldRequest } from "../reserve.ts";
import { request } from "./holding.ts";

/** A site that lists its compartments: `M0`, `M1` … for its size class `M`. */
export function siteWithNames(facts: SiteFacts, more: MoreFacts = {}): Site {
  const site = makeSite(facts);
  const compartments = site.sizeClasses.flatMap(({ sizeClassId, installed }) =>
    Array.from({ length: installed }, (_, door) => ({ compartmentId: `${sizeClassId}${door}`, sizeClassId })),
  );
  return makeSite(facts, { compartments, ...more });
}

/** A stored site as a candidate with all its size classes and their compartments. */
export async function namedCandidate(records: Records, siteId: string): Promise<HoldCandidate> {
  const stored = await records.sites.find(siteId);
  if (stored === undefined) throw new Error(`no site ${siteId}`);
  const { sizeClasses, compartments } = stored.site;
  const classes = sizeClasses.map(({ sizeClassId }, index) => ({
    index,
    sizeClassId,
    compartmentIds: compartments.filter((one) => one.sizeClassId === sizeClassId).map(({ compartmentId }) => compartmentId),
  }));
  return storedCandidate(stored, classes);
}

/** The request of a number for a hold of a kind: the same each time. */
export function requestOf(origin: Position, number: number, holdKind: HoldKind): HoldRequest {
  const asked = request(origin, number);
  return { ...asked, reservation: { ...asked.reservation, holdKind } };
}

/** Takes a hold at one site. */
export async function holdAt(
  records: Records,
  siteId: string,
  origin: Position,
  number: number,
  holdKind: HoldKind = HoldKind.HARD,
): Promise<HoldOutcome> {
  const resolve = (id: string) => namedCandidate(records, id);
  return await records.holds.take(requestOf(origin, number, holdKind), [await resolve(siteId)], resolve);
}
