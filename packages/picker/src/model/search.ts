import type { FindNearestRequest, PassedOver } from "@petak/protocol";
import type { Directory } from "../gateway/directory.ts";
import type { JsonOf } from "../gateway/json-of.ts";
import { problemOf } from "../gateway/problem.ts";
import type { Point } from "../map/picker-map.ts";
import { kindsOf, requirementsOf } from "../settings/filters.ts";
import { roundPoint, type Settings } from "../settings/settings.ts";
import type { NotOffered, Reason } from "../sites/left-out.ts";
import { type Offer, offerOf } from "../sites/offer.ts";
import { type EarlierRelease, isRefusal } from "./earlier-release.ts";
import type { State } from "./state.ts";

/** What a search asks for. */
export interface Query extends Pick<State, "filters" | "operatorIds" | "limit"> {
  readonly point: Point;
  /** When a place must be open, in ms by the gateway's clock. Undefined: whenever. */
  readonly openAtMs: number | undefined;
}

/** Whom a search asks. */
export interface Source {
  readonly settings: Settings;
  readonly directory: Directory;
  readonly earlier: EarlierRelease;
}

function requestOf({ settings, earlier }: Source, { point, filters, operatorIds, limit, openAtMs }: Query): JsonOf<FindNearestRequest> {
  const kinds = kindsOf(filters) as JsonOf<FindNearestRequest>["kinds"];
  return {
    origin: roundPoint(point, settings.roundingM),
    parcel: settings.parcel,
    limit,
    kinds,
    operatorIds: operatorIds.size > 0 ? [...operatorIds] : settings.operatorIds,
    requirements: requirementsOf(filters, earlier.lacks("OPEN_AT_IGNORED") ? undefined : openAtMs),
    includeUnknown: true,
  };
}

/** The nearest sites that take the parcel, the nearest first; those of which nobody knows whether a place is free are among them. */
export async function findOffers(source: Source, query: Query, signal: AbortSignal): Promise<readonly Offer[]> {
  const ask = (asked: Query) => source.directory.call("FindNearest", requestOf(source, asked), signal);
  const { options = [] } = await ask(query).catch(async (error: unknown) => {
    if (query.openAtMs === undefined || !isRefusal(problemOf(error))) throw error;
    const answer = await ask({ ...query, openAtMs: undefined });
    source.earlier.found("OPEN_AT_IGNORED");
    return answer;
  });
  return options.flatMap((option) => offerOf(option) ?? []);
}

/** How many sites are named that are not offered. */
const namedSites = 10;

/** The sites that are not offered, and the time by the gateway's clock. */
export interface LeftOut {
  readonly notOffered: NotOffered;
  /** In ms. Undefined from a gateway of an earlier release, which names no sites either. */
  readonly countedAtMs: number | undefined;
}

/** The sites within the distance of the farthest offer that are not offered, by reason, and the nearest of them by name. */
export async function findLeftOut(source: Source, query: Query, signal: AbortSignal): Promise<LeftOut> {
  const { counts = [], sites = [], countedAt = "" } = await findPassedOver(source, query, signal);
  const reasonOf = (name = ""): string => name.replace("PASSED_OVER_REASON_", "");
  const countedAtMs = Date.parse(countedAt);
  return {
    notOffered: {
      counts: counts.map(({ reason, sites: count = 0 }) => ({ reason: reasonOf(reason), sites: count })),
      sites: sites.map(({ site: { siteId = "", name = "", operatorId = "", operatorName = "", position } = {}, distanceM = 0, reason }) => {
        const { latitude = 0, longitude = 0 } = position ?? {};
        return { siteId, name, operatorId, operatorName, latitude, longitude, distanceM, reason: reasonOf(reason) };
      }),
    },
    countedAtMs: Number.isNaN(countedAtMs) ? undefined : countedAtMs,
  };
}

async function findPassedOver(source: Source, query: Query, signal: AbortSignal): Promise<JsonOf<PassedOver>> {
  const ask = async (more: JsonOf<FindNearestRequest>): Promise<JsonOf<PassedOver> | undefined> =>
    (await source.directory.call("FindNearest", { ...requestOf(source, query), ...more }, signal)).passedOver;
  if (!source.earlier.lacks("PASSED_OVER_UNNAMED")) {
    const named = await ask({ passedOverLimit: namedSites }).catch((error: unknown) => {
      if (!isRefusal(problemOf(error))) throw error;
    });
    if (named !== undefined) return named;
  }
  const counted = await ask({ countPassedOver: true });
  source.earlier.found("PASSED_OVER_UNNAMED");
  return counted ?? {};
}

/** What a gateway says of a site that somebody wants. */
export type Fit =
  | { readonly fits: true; readonly signedChoice?: string; readonly signedUntil?: string }
  | { readonly fits: false; readonly reason: Reason };

/** Asks whether the parcel fits at a site and a place is free there now, and has the choice signed. */
export async function checkFit(directory: Directory, settings: Settings, siteId: string, signal: AbortSignal): Promise<Fit> {
  const { fits = [] } = await directory.call("CheckFit", { siteIds: [siteId], parcel: settings.parcel }, signal);
  const { fits: isFit = false, reason = "", choice, choiceExpiresAt } = fits[0] ?? {};
  if (!isFit) return { fits: false, reason: reason.replace("PASSED_OVER_REASON_", "") };
  return {
    fits: true,
    ...(choice !== undefined && choiceExpiresAt !== undefined && { signedChoice: choice, signedUntil: choiceExpiresAt }),
  };
}
