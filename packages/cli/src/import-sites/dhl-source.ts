import type { MessageInitShape } from "@bufbuild/protobuf";
import { DayOfWeek, type ExceptionalDaySchema, type OpeningHoursSchema, Purpose, SiteKind, type WeeklyPeriodSchema } from "@petak/protocol";
import { weeklyHours } from "../places/opening-hours.ts";
import { checkAngle } from "./angle.ts";
import { fileProblem } from "./file-problem.ts";
import { readJsonMembers } from "./json-members.ts";
import type { Refusal, RefusalReason } from "./refusal.ts";
import type { SiteDraft } from "./site-draft.ts";
import type { OpenSource } from "./site-source.ts";

/** The used fields of a location. Each is validated when it is read. */
interface DhlLocation {
  location?: { ids?: { locationId?: unknown }[]; type?: unknown };
  name?: unknown;
  place?: {
    address?: { countryCode?: unknown; postalCode?: unknown; addressLocality?: unknown; streetAddress?: unknown };
    geo?: { latitude?: unknown; longitude?: unknown };
  };
  openingHours?: { opens?: unknown; closes?: unknown; dayOfWeek?: unknown }[];
  closurePeriods?: { fromDate?: unknown; toDate?: unknown }[];
  serviceTypes?: unknown[];
}

const dayMs = 86_400_000;

/** The protocol's limit for a site. */
const mostExceptions = 100;

/** DHL's location types where parcels are handed over; not e.g. post boxes. */
const siteKinds: Record<string, SiteKind> = {
  locker: SiteKind.PARCEL_TERMINAL,
  servicepoint: SiteKind.COLLECTION_POINT,
  postoffice: SiteKind.COLLECTION_POINT,
  postbank: SiteKind.COLLECTION_POINT,
};

/** Opens a saved response of DHL's Location Finder (Unified API). */
export const openDhl: OpenSource = async (text, { nowMs }) => ({
  format: "dhl",
  description: "answer of DHL's Location Finder (Unified)",
  mapping: undefined,
  async *drafts(observer) {
    let hasLocations = false;
    let row = 0;
    const others = new Map<string, unknown>();
    for await (const member of readJsonMembers(text.read(observer), ["locations"], text.name)) {
      if (member.kind === "element") {
        row += 1;
        yield toDraft(row, member.line, member.value as DhlLocation, nowMs);
      } else if (member.name === "locations") hasLocations = true;
      else others.set(member.name, member.value);
    }
    if (hasLocations) return;
    const error = others.get("detail") ?? others.get("title");
    throw fileProblem(
      text.name,
      error === undefined
        ? "is no answer of DHL's Location Finder: it has no locations"
        : `is an error of DHL's (${others.get("status")}: ${error}), not a list`,
    );
  },
});

function toDraft(row: number, line: number, value: DhlLocation | null, nowMs: number): SiteDraft | Refusal {
  const { location, name, place, openingHours, closurePeriods, serviceTypes } = value ?? {};
  const reference = textOf(location?.ids?.[0]?.locationId);
  const shownName = textOf(name);
  const refuse = (reason: RefusalReason, message: string): Refusal => {
    return { kind: "refusal", row, line, reason, message, reference, name: shownName };
  };
  const type = textOf(location?.type);
  const siteKind = siteKinds[type];
  if (siteKind === undefined) return refuse("not-a-site", `the location's type "${type}" is not a place where parcels are handed over`);
  const { latitude, longitude } = place?.geo ?? {};
  if (typeof latitude !== "number" || typeof longitude !== "number") return refuse("no-position", "the location has no place.geo");
  const hours = hoursOf(openingHours ?? [], closurePeriods ?? [], nowMs);
  if (typeof hours === "string") return refuse("invalid-hours", hours);
  const address = place?.address ?? {};
  return {
    kind: "draft",
    row,
    line,
    reference,
    name: shownName,
    nameIsMade: false,
    latitude: checkAngle(latitude, "latitude"),
    longitude: checkAngle(longitude, "longitude"),
    addressLines: textOf(address.streetAddress),
    postalCode: textOf(address.postalCode),
    locality: textOf(address.addressLocality),
    administrativeArea: "",
    country: textOf(address.countryCode),
    siteKind,
    openingHours: hours,
    purposes: purposesOf(serviceTypes ?? []),
    isStepFree: (serviceTypes ?? []).includes("handicapped-access"),
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value.replace(/\s+/g, " ").trim() : "";
}

/** Pick-up means deliveries; drop-off means first miles and returns. */
function purposesOf(serviceTypes: readonly unknown[]): Purpose[] {
  const services = serviceTypes.filter((service) => typeof service === "string");
  const has = (prefix: string) => services.some((service) => service.startsWith(prefix));
  return [...(has("parcel:pick-up") ? [Purpose.DELIVERY] : []), ...(has("parcel:drop-off") ? [Purpose.FIRST_MILE, Purpose.RETURN] : [])];
}

/** Opening hours in the protocol's form, or the error. */
function hoursOf(
  openingHours: NonNullable<DhlLocation["openingHours"]>,
  closurePeriods: NonNullable<DhlLocation["closurePeriods"]>,
  nowMs: number,
): MessageInitShape<typeof OpeningHoursSchema> | string {
  const weekly: MessageInitShape<typeof WeeklyPeriodSchema>[] = [];
  for (const { opens, closes, dayOfWeek } of openingHours) {
    const day = DayOfWeek[String(dayOfWeek).replace(/^.*\//, "").toUpperCase() as keyof typeof DayOfWeek];
    const openMinute = minuteOf(opens);
    let closeMinute = minuteOf(closes);
    if (day === undefined || openMinute === undefined || closeMinute === undefined) {
      return `the opening hours ${textOf(opens)} to ${textOf(closes)} on "${textOf(dayOfWeek)}" cannot be read`;
    }
    // The last second of the day means its end.
    if (closeMinute === 1439) closeMinute = 1440;
    if (closeMinute <= openMinute) return `the opening hours ${textOf(opens)} to ${textOf(closes)} end before they begin`;
    weekly.push({ openDay: day, openMinute, closeDay: day, closeMinute });
  }
  if (weekly.length === 0) return "the location has no opening hours";
  const exceptions = closedDays(closurePeriods, nowMs);
  return typeof exceptions === "string" ? exceptions : { ...weeklyHours(weekly), exceptions };
}

function minuteOf(time: unknown): number | undefined {
  const match = /^(\d{2}):(\d{2})(?::\d{2})?$/.exec(String(time));
  const minute = Number(match?.[1]) * 60 + Number(match?.[2]);
  return match === null || minute > 1440 || Number(match[2]) > 59 ? undefined : minute;
}

/** The days of present and future closures, at most 100. */
function closedDays(
  closurePeriods: NonNullable<DhlLocation["closurePeriods"]>,
  nowMs: number,
): MessageInitShape<typeof ExceptionalDaySchema>[] | string {
  // Yesterday in UTC is still today in some time zones.
  const earliestMs = Math.floor(nowMs / dayMs) * dayMs - dayMs;
  const days = new Set<string>();
  for (const { fromDate, toDate } of closurePeriods) {
    const [fromMs, toMs] = [Date.parse(String(fromDate)), Date.parse(String(toDate))];
    if (Number.isNaN(fromMs) || Number.isNaN(toMs)) return `the closure from "${fromDate}" to "${toDate}" cannot be read`;
    for (let timeMs = Math.max(fromMs, earliestMs); timeMs <= toMs && days.size < mostExceptions; timeMs += dayMs) {
      days.add(new Date(timeMs).toISOString().slice(0, 10));
    }
  }
  return [...days].sort().map((day) => {
    const [year = 0, month = 0, date = 0] = day.split("-").map(Number);
    return { date: { year, month, day: date }, open: [] };
  });
}
