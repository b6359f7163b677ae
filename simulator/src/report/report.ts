import type { DeliveryParameters } from "../delivery/parameters.ts";
import type { Summary } from "../measure/summary.ts";
import type { End } from "../observe/observation.ts";
import type { Pace } from "../observe/run-header.ts";
import type { ParameterValue } from "../trace/header.ts";

/** Name and version of the schema of reports. A release that changes the meaning of a figure changes the version. */
export const reportSchema = "petak.report";
export const reportVersion = 1;

/**
 * The figures of a run, as plain JSON. `docs/report.md` describes them. Every number that a report as HTML prints is one of these. Times are city time (the
 * trace's, whatever the pace of the run) unless they are said to be real. A share is from 0 to 1, or null if it is a share of nothing.
 */
export interface Report {
  readonly schema: typeof reportSchema;
  readonly version: typeof reportVersion;
  readonly run: RunFigures;
  /** The steps of city time into which lists by step are divided: `steps.starts` has as many items as each of them. */
  readonly steps: Steps;
  readonly demand: DemandFigures;
  readonly walk: WalkFigures;
  readonly occupancy: OccupancyFigures;
  /** H3 cells of resolution 8 in which somebody asked or a site is, most asked first. */
  readonly cells: readonly CellFigures[];
  /** Sites, fullest first. */
  readonly sites: readonly SiteFigures[];
  /** From deposit to collection, in minutes. */
  readonly stays: Distribution;
  readonly queues: QueueFigures;
  /** Calls: latencies, rates, outcomes by reason, and how late the generator was. Without the gateway's metrics. */
  readonly load: Omit<Summary, "demand">;
  readonly endReasons: readonly EndReason[];
  readonly violations: ViolationFigures;
  readonly gateway: GatewayFigures;
  /** Null if the trace was not given. */
  readonly delivery: DeliveryFigures | null;
  /** Null if no sites were planned. */
  readonly plan: PlanFigures | null;
}

/** What was run, and whether it can be relied on. */
export interface RunFigures {
  readonly city: string;
  readonly timeZone: string;
  readonly seed: number | null;
  /** How the trace came to be. */
  readonly drawn: string;
  readonly parameters: { readonly [name: string]: ParameterValue };
  /** Start and length of the trace. */
  readonly startAt: string;
  readonly durationMs: number;
  readonly intentions: number;
  readonly gateway: string;
  readonly protocol: "connect" | "grpc";
  readonly software: string;
  readonly pace: Pace;
  /** City time that passes in one unit of the gateway's time: 1 on a driven clock. */
  readonly speed: number;
  readonly processes: number;
  readonly faults: readonly { readonly name: string; readonly value: number }[];
  readonly remarks: readonly string[];
  /** When the run began by this machine's clock, and how long it took, in real ms. */
  readonly beganOn: string;
  readonly tookMs: number;
  /** `unknown`: the observations stop without an end. */
  readonly end: "complete" | "interrupted" | "gateway-lost" | "unknown";
  readonly endReason: string | null;
  /** Whether the figures are those of the network: no reason against it. */
  readonly isValid: boolean;
  /** Why the figures cannot be relied on, in sentences. */
  readonly invalidReasons: readonly string[];
}

/** Steps of city time. */
export interface Steps {
  /** Length in hours: 1, doubled for long runs until there are at most 336. */
  readonly hours: number;
  /** Local times, e.g. `2026-11-09T08:00`. */
  readonly starts: readonly string[];
}

/** What became of what people asked for. */
export interface DemandCounts {
  /** Intentions that were begun, whatever their end. */
  readonly asked: number;
  /** Of these, those who wanted a place and of whom it is known whether they got it: met, refused and failed. */
  readonly wanted: number;
  /** Got a place and kept it as long as they wanted. */
  readonly met: number;
  /** Of those met, at another site than the nearest that was wanted. */
  readonly redirected: number;
  /** Got no place, because none was near or none was free: at once, or after waiting in a queue. */
  readonly refused: number;
  /** Got no place or lost it, for another reason: an error, no answer in time, a door that did not open, a promise that ended too early. */
  readonly failed: number;
}

/** Demand in all and by step. */
export interface DemandFigures extends DemandCounts {
  readonly metShare: number | null;
  readonly redirectedShare: number | null;
  readonly refusedShare: number | null;
  /** Of those refused, the ones with no site within the distance that they would go. */
  readonly noSiteNear: number;
  readonly noSiteNearShare: number | null;
  /** The others of those refused: no place was free, or none fitted. */
  readonly noneFree: number;
  readonly noneFreeShare: number | null;
  readonly failedShare: number | null;
  readonly byEnd: Readonly<Record<End, number>>;
  readonly bySteps: readonly DemandCounts[];
  /** The step in which most asked; null if nobody did. */
  readonly busiest: { readonly start: string; readonly asked: number } | null;
}

/** Numbers of one kind. */
export interface Distribution {
  readonly count: number;
  readonly mean: number | null;
  /** The least number that at least half, or nine tenths, or 99 of 100 do not exceed. */
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly max: number | null;
  /** From `from` to below `to`; null: without end. */
  readonly histogram: readonly {
    readonly from: number;
    readonly to: number | null;
    readonly count: number;
    readonly share: number | null;
  }[];
}

/** Great-circle distances of those who were met from home to site, in m. */
export interface WalkFigures extends Distribution {
  readonly shareWithin250M: number | null;
  readonly shareWithin500M: number | null;
}

/** Places of all sites. */
export interface OccupancyFigures {
  readonly sites: number;
  readonly installed: number;
  /** As last counted by the end of each step; null before the first count and after the last one. In use: occupied or held. */
  readonly bySteps: readonly { readonly occupied: number | null; readonly held: number | null; readonly inUseShare: number | null }[];
  readonly fullest: { readonly start: string; readonly occupied: number; readonly held: number; readonly inUseShare: number } | null;
}

/** What happened in an H3 cell. People count where they live, places where the site is. */
export interface CellFigures {
  readonly cell: string;
  readonly latitude: number;
  readonly longitude: number;
  /** Name of the site with the most places there, or else in the nearest cell that has a site, up to three cells away; null without. */
  readonly around: string | null;
  readonly sites: number;
  readonly installed: number;
  /** In all, and by step. */
  readonly asked: number;
  readonly wanted: number;
  readonly met: number;
  readonly redirected: number;
  readonly refused: number;
  readonly failed: number;
  readonly metShare: number | null;
  /** Up to the last step that is not 0. */
  readonly wantedBySteps: readonly number[];
  readonly refusedBySteps: readonly number[];
  /** Occupied and held places at the end of each step. Empty without a site. */
  readonly inUseBySteps: readonly (number | null)[];
}

/** What happened at a site. */
export interface SiteFigures {
  readonly siteId: string;
  readonly ref: string;
  readonly name: string;
  readonly isStore: boolean;
  readonly isActive: boolean;
  readonly latitude: number;
  readonly longitude: number;
  readonly installed: number;
  /** Intentions that got a place here. */
  readonly met: number;
  /** Most places in use in any step, and their share. */
  readonly mostInUse: number;
  readonly mostInUseShare: number | null;
  readonly inUseBySteps: readonly (number | null)[];
}

/** Those who waited in a queue; minutes. */
export interface QueueFigures extends Distribution {
  /** Of those who waited, how many got a place. */
  readonly met: number;
  readonly metShare: number | null;
}

/** Intentions whose end has a reason, by it, the most frequent first. */
export interface EndReason {
  /** As the answer or the door said it; `(others)` beyond 200 different ones. */
  readonly reason: string;
  readonly count: number;
  /** How many ended how. */
  readonly ends: { readonly [end in End]?: number };
  /** The first of the intentions, by their numbers in the trace: to replay them. */
  readonly intentions: readonly number[];
}

/** What must never be true, and was. */
export interface ViolationFigures {
  readonly count: number;
  readonly byRule: readonly { readonly rule: string; readonly count: number }[];
  /** The first ones. */
  readonly first: readonly {
    readonly rule: string;
    readonly at: string;
    readonly text: string;
    readonly intentions: readonly number[];
    /** The observations that show it, each as JSON. */
    readonly evidence: readonly string[];
  }[];
}

/** The gateway's own metrics over the run. */
export interface GatewayFigures {
  /** Real ms since the run began, of each sample; thinned out to at most 240. */
  readonly atMs: readonly number[];
  readonly series: readonly {
    readonly name: string;
    readonly title: string;
    readonly unit: "bytes" | "number" | "share" | "seconds" | "perSecond";
    readonly max: number | null;
    readonly last: number | null;
    readonly values: readonly (number | null)[];
  }[];
}

/** The four ways to deliver, by name. */
export const deliveryWays = ["doorToDoor", "ownLockers", "openNetwork", "openConsolidated"] as const;
export type DeliveryWay = (typeof deliveryWays)[number];

/** The parcels of the trace's days, delivered in four ways by the model of `docs/simulator.md`. */
export interface DeliveryFigures {
  readonly days: number;
  readonly parcels: number;
  readonly reachM: number;
  readonly ways: readonly DeliveryWayFigures[];
  /** All emissions in kg CO₂e over the share of people who fetch their parcels by car, all others on foot. */
  readonly carSweep: readonly ({ readonly carShare: number } & Readonly<Record<DeliveryWay, number>>)[];
  readonly parameters: readonly DeliveryParameterFigure[];
}

/** A parameter of the delivery model. */
export interface DeliveryParameterFigure {
  readonly name: Exclude<keyof DeliveryParameters, "tripShares"> | "tripShares.foot" | "tripShares.onTheWay" | "tripShares.car";
  readonly value: number;
  readonly meaning: string;
  readonly source: string;
}

/** What one way takes, summed over the days. */
export interface DeliveryWayFigures {
  readonly way: DeliveryWay;
  readonly siteParcels: number;
  readonly doorParcels: number;
  readonly stops: number;
  readonly rounds: number;
  readonly vanKm: number;
  readonly vanHours: number;
  readonly vanKg: number;
  readonly carKm: number;
  readonly carKg: number;
  readonly kg: number;
  readonly manifests: number;
  /** Home to site; null if no parcel goes to a site. */
  readonly meanDistanceM: number | null;
  /** Emissions over those of delivery to the door. */
  readonly kgRatio: number | null;
  /** Least and most kg CO₂e as failed first attempts go from 3 to 40 % and car trips from 0 to 50 %. */
  readonly kgLow: number;
  readonly kgHigh: number;
  /** From this share of car trips on, with all others on foot, it emits as much as delivery to the door. Null: at no share from 0 to 1. */
  readonly breakEvenCarShare: number | null;
}

/** What planned sites bring. */
export interface PlanFigures {
  readonly walkM: number;
  readonly residents: number;
  readonly coveredBefore: number;
  readonly coveredAfter: number;
  readonly coveredBeforeShare: number | null;
  readonly coveredAfterShare: number | null;
  readonly sites: readonly {
    readonly ref: string;
    readonly name: string;
    /** Null if the run has no such site. */
    readonly latitude: number | null;
    readonly longitude: number | null;
    /** Residents within the walk of it and of no other site before it. */
    readonly residents: number;
    /** Intentions that got a place here; of these, those with no other site within the walk. */
    readonly met: number;
    readonly newlyReached: number;
    /** What the others walk less than to the nearest site that is not planned: in all, and each. */
    readonly savedM: number;
    readonly savedMeanM: number | null;
  }[];
}
