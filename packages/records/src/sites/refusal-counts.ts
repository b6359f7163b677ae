import type { Event } from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { encodeCausedEvent } from "../encoding/event-bytes.ts";
import { createScript } from "../lua/create-script.ts";
import { type DeviceReport, obstacleOf, type ReportObstacle, reportLink } from "./device-report.ts";

/** The refusals and conditions that a site's agents have reported within a minute. Times in ms. */
export interface RefusalCount {
  /** When the minute began, by the gateway's clock. */
  readonly beganMs: number;
  /** How many became an event each. */
  readonly recorded: number;
  /** Those that were only counted, by their reason. */
  readonly counted: Readonly<Record<string, CountedReports>>;
  /** Conditions that were only counted, by the number of their kind. A gateway of an earlier release counts none. */
  readonly conditions?: Readonly<Record<string, CountedReports>>;
}

/** Refusals or conditions that were only counted, and when the first and the last of them happened, by the site's clock, in ms. */
export interface CountedReports {
  readonly count: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** A change of a site's count, and what is written with it. */
export interface RefusalCountChange {
  siteId: string;
  /** The count as it was read. */
  before: RefusalCount | undefined;
  /** Undefined: none. */
  after: RefusalCount | undefined;
  /** The report of a refusal or condition. `isOnlyCounted`: it becomes no event, and is recorded with the count. */
  report?: Omit<DeviceReport, "siteId"> & { isOnlyCounted: boolean };
  /** Tell of what was counted before. */
  events?: readonly Event[];
}

/** The result of a change. Anything but `done` has changed nothing. */
export type RefusalCountOutcome = { tag: "done" } | { tag: "stale" } | ReportObstacle;

/** Counts of refusals and conditions, by site. */
export interface RefusalCounts {
  at(siteId: string): Promise<RefusalCount | undefined>;
  change(change: RefusalCountChange): Promise<RefusalCountOutcome>;
}

/** How long a count is kept without a change, in ms: agents call far more often. */
const keptMs = 30 * 24 * 3_600_000;

const script = createScript("count-refusal");

/** Keeps the counts in Redis. */
export function createRefusalCounts(redis: RedisConnection, keys: Keys, siteIds: SiteIds): RefusalCounts {
  return {
    async at(siteId) {
      const { region, siteNumber } = siteIds.require(siteId);
      return decode(await redis.get(keys.siteRefusals(region, siteNumber)));
    },
    async change({ siteId, before, after, report, events = [] }) {
      const { region, siteNumber } = siteIds.require(siteId);
      const [tag, watermark] = await script(
        redis,
        [keys.siteRefusals(region, siteNumber), keys.agentWatermark(region, siteNumber, report?.keyId ?? ""), keys.events(region)],
        [
          ...[encode(before), encode(after), keptMs],
          ...[report?.sequence ?? "", report?.isOnlyCounted === true ? 1 : 0, report === undefined ? "" : reportLink(report)],
          ...events.map((event) => encodeCausedEvent(event, siteIds)),
        ],
      );
      return obstacleOf(tag, watermark) ?? ({ tag } as RefusalCountOutcome);
    },
  };
}

function encode(count: RefusalCount | undefined): string {
  return count === undefined ? "" : JSON.stringify(count);
}

function decode(text: string | null): RefusalCount | undefined {
  return text === null ? undefined : (JSON.parse(text) as RefusalCount);
}
