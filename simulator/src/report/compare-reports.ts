import type { Format } from "./html/formats.ts";
import type { Report } from "./report.ts";

/** Name and version of the schema of comparisons. */
export const comparisonSchema = "petak.comparison";
export const comparisonVersion = 1;

/** Two runs and their differences, as plain JSON. */
export interface Comparison {
  readonly schema: typeof comparisonSchema;
  readonly version: typeof comparisonVersion;
  readonly a: ComparedRun;
  readonly b: ComparedRun;
  /** What the runs did not have in common, in words; empty if only what was run against differs. */
  readonly conditions: readonly string[];
  readonly differences: readonly Difference[];
  readonly reasons: readonly ReasonDifference[];
}

export interface ComparedRun {
  readonly name: string;
  readonly report: Report;
}

/** One figure of both runs. */
export interface Difference {
  readonly group: string;
  readonly title: string;
  /** How the figure is printed. */
  readonly format: Format;
  readonly a: number | null;
  readonly b: number | null;
  /** b − a, and b / a; null where one is not known, or a is 0. */
  readonly difference: number | null;
  readonly ratio: number | null;
  /** Whether b is the better one; null if it is no matter of better and worse, or differs by less than 5 %, of shares by less than a point. */
  readonly verdict: "better" | "worse" | null;
}

/** How often calls were answered with something else than OK. */
export interface ReasonDifference {
  readonly reason: string;
  readonly a: number;
  readonly b: number;
  readonly difference: number;
}

type Wish = "more" | "less" | "neither";
type Row = readonly [group: string, title: string, format: Format, wish: Wish, figureOf: (report: Report) => number | null | undefined];

const rows: readonly Row[] = [
  ["Demand", "asked", "count", "neither", ({ demand }) => demand.asked],
  ["Demand", "wanted a place", "count", "neither", ({ demand }) => demand.wanted],
  ["Demand", "met", "count", "neither", ({ demand }) => demand.met],
  ["Demand", "met, share of those who wanted a place", "share", "more", ({ demand }) => demand.metShare],
  ["Demand", "refused, share", "share", "less", ({ demand }) => demand.refusedShare],
  ["Demand", "failed, share", "share", "less", ({ demand }) => demand.failedShare],
  ["Demand", "redirected, share of those met", "share", "less", ({ demand }) => demand.redirectedShare],
  ["Distance", "half, at most", "metres", "less", ({ walk }) => walk.p50],
  ["Distance", "nine in ten, at most", "metres", "less", ({ walk }) => walk.p90],
  ["Distance", "within 250 m", "share", "more", ({ walk }) => walk.shareWithin250M],
  ["Distance", "within 500 m", "share", "more", ({ walk }) => walk.shareWithin500M],
  ["Sites", "sites", "count", "neither", ({ occupancy }) => occupancy.sites],
  ["Sites", "places", "count", "neither", ({ occupancy }) => occupancy.installed],
  ["Sites", "in use in the fullest hour", "share", "neither", ({ occupancy }) => occupancy.fullest?.inUseShare],
  ["Sites", "stay, half at most", "minutes", "neither", ({ stays }) => stays.p50],
  ["Sites", "stay, nine in ten at most", "minutes", "neither", ({ stays }) => stays.p90],
  [
    "Delivery",
    "CO₂e in kg, one carrier to all sites",
    "count",
    "less",
    ({ delivery }) => delivery?.ways.find(({ way }) => way === "openConsolidated")?.kg,
  ],
  [
    "Delivery",
    "km of vans, one carrier to all sites",
    "count",
    "less",
    ({ delivery }) => delivery?.ways.find(({ way }) => way === "openConsolidated")?.vanKm,
  ],
  ["Checks", "violations", "count", "less", ({ violations }) => violations.count],
  ["Generator", "calls", "count", "neither", ({ load }) => load.rate.calls],
  ["Generator", "length of the run", "duration", "neither", ({ load }) => load.rate.durationMs],
  ["Generator", "dropped", "count", "less", ({ load }) => load.rate.dropped],
  ["Generator", "late", "count", "less", ({ load }) => load.rate.late],
];

/** Percentiles of each operation of both. */
const percentiles = [
  ["p50", "p50Ms"],
  ["p99", "p99Ms"],
  ["max", "maxMs"],
] as const;

/** Compares two runs, figure by figure. */
export function compareReports(a: ComparedRun, b: ComparedRun): Comparison {
  const operations = [
    ...new Set([a, b].flatMap(({ report }) => Object.keys(report.load.operations))),
  ] as (keyof Report["load"]["operations"])[];
  const latencies = operations.flatMap((operation) =>
    percentiles.map(
      ([title, name]): Row => ["Latency", `${operation} ${title}`, "latency", "less", ({ load }) => load.operations[operation]?.[name]],
    ),
  );
  const reasons = [...new Set([a, b].flatMap(({ report }) => Object.keys(report.load.outcomes)))];
  return {
    schema: comparisonSchema,
    version: comparisonVersion,
    a,
    b,
    conditions: conditionsOf(a.report, b.report),
    differences: [...rows, ...latencies].map((row) => compare(row, a.report, b.report)),
    reasons: reasons
      .map((reason) => {
        const [inA, inB] = [a, b].map(({ report }) => report.load.outcomes[reason]?.count ?? 0) as [number, number];
        return { reason, a: inA, b: inB, difference: inB - inA };
      })
      .sort((one, other) => Math.abs(other.difference) - Math.abs(one.difference)),
  };
}

function compare([group, title, format, wish, figureOf]: Row, first: Report, second: Report): Difference {
  const [a, b] = [figureOf(first) ?? null, figureOf(second) ?? null];
  if (a === null || b === null) return { group, title, format, a, b, difference: null, ratio: null, verdict: null };
  const difference = b - a;
  const least = format === "share" ? 0.01 : 0.05 * Math.abs(a);
  const isClear = wish !== "neither" && difference !== 0 && Math.abs(difference) >= least;
  const verdict = isClear ? (difference > 0 === (wish === "more") ? "better" : "worse") : null;
  return { group, title, format, a, b, difference, ratio: a === 0 ? null : b / a, verdict };
}

/** What makes two runs hard to compare. */
function conditionsOf({ run: a }: Report, { run: b }: Report): string[] {
  const differs = (name: keyof Report["run"]) => JSON.stringify(a[name]) !== JSON.stringify(b[name]);
  const names = [
    ["city", "The cities differ."],
    ["seed", "The seeds of the traces differ."],
    ["intentions", "The traces have different numbers of intentions."],
    ["durationMs", "The traces have different lengths."],
    ["parameters", "The parameters of the traces differ."],
    ["pace", "The paces differ."],
    ["faults", "The faults that were made differ."],
    ["processes", "The numbers of processes differ."],
    ["software", "The versions of the software differ."],
  ] as const;
  return [
    ...names.filter(([name]) => differs(name)).map(([, sentence]) => sentence),
    ...(a.isValid && b.isValid ? [] : ["Not both runs can be relied on."]),
  ];
}
