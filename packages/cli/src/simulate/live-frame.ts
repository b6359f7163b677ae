import { type Operation, operations, outcomeClass, type ProgressView, type RecentOperation, type RunHeader } from "@petak/simulator";
import { type Colors, escapeLine } from "../terminal/colors.ts";
import { formatCount, formatDuration, formatMegabytes } from "../terminal/progress.ts";
import { pad, textWidth, truncate } from "../terminal/text-width.ts";

/** What a frame shows, and the room for it. */
export interface Frame {
  readonly header: RunHeader;
  readonly view: ProgressView;
  /** Ms since the run began. */
  readonly elapsedMs: number;
  /** The user has interrupted the run. */
  readonly isInterrupted: boolean;
  readonly colors: Colors;
  readonly columns: number;
  readonly rows: number;
}

const labelWidth = 12;
const longestName = 30;

/** The lines of a frame. In a low terminal blank lines are left out first, then the gateway, then the operations with the fewest calls. */
export function renderFrame(frame: Frame): string[] {
  const found = [...frame.view.operations].toSorted(([, a], [, b]) => b.callsPerS - a.callsPerS).map(([operation]) => operation);
  const layouts = [
    { hasBlanks: true, hasGateway: true, shown: found },
    { hasBlanks: false, hasGateway: true, shown: found },
    ...found.map((_, left) => ({ hasBlanks: false, hasGateway: false, shown: found.slice(0, found.length - left) })),
  ];
  const [top, middle, bottom] = [head(frame), arrivals(frame), [answers, places, ends, violations].flatMap((part) => part(frame))];
  const last = gateway(frame);
  let lines: string[] = [];
  for (const { hasBlanks, hasGateway, shown } of layouts) {
    const blank = hasBlanks ? [""] : [];
    const table = tableOf(frame, new Set(shown));
    lines = [...top, ...blank, ...middle, ...blank, ...table, ...blank, ...bottom, ...(hasGateway ? last : [])];
    if (lines.length <= frame.rows) break;
  }
  return lines;
}

function head({ header, view, elapsedMs, isInterrupted, colors, columns }: Frame): string[] {
  const { trace, pace } = header;
  const at = new Intl.DateTimeFormat("en-GB", {
    timeZone: trace.timeZone,
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
  });
  const how = pace.clock === "driven" ? "test clock" : pace.speed === 1 ? "" : `${decimal(pace.speed)} times as fast`;
  const title = [colors.bold(name(trace.city)), at.format(view.playedAtMs), how].filter((part) => part !== "");
  while (title.length > 1 && textWidth(title.join(" · ")) > columns) title.pop();
  const left = view.leftMs === undefined ? "" : `, ${formatDuration(Math.ceil(view.leftMs / 1000))} left`;
  const open = !view.isPeriodOver ? "" : `, the period is over, ${formatCount(view.open)} open`;
  const text = `${Math.floor(view.share * 100)} %, ${formatDuration(Math.floor(elapsedMs / 1000))}${left}${open}`;
  const width = Math.min(40, columns - textWidth(text) - 2);
  const full = Math.round(view.share * width);
  const bar = width < 8 ? "" : `${colors.cyan("━".repeat(full))}${colors.dim("─".repeat(width - full))}  `;
  return [
    title.join(" · "),
    `${bar}${text}`,
    ...(isInterrupted ? [colors.yellow("Interrupted: ending in good order. Ctrl-C once more ends at once.")] : []),
  ];
}

function arrivals({ view, colors, columns }: Frame): string[] {
  const { perS, totals } = view;
  const { rate, validity } = totals;
  const warn = (count: number, text: string) => (count === 0 ? text : colors.yellow(text));
  const late = rate.late === 0 ? "0 late" : `${formatCount(rate.late)} late (p99 ${milliseconds(validity.lateP99Ms)})`;
  const sent = [
    `${decimal(perS.sent)}/s of ${decimal(perS.intended)}/s intended`,
    warn(rate.dropped, `${formatCount(rate.dropped)} dropped`),
    late,
  ];
  return [
    labelled("Arrivals", sent, columns),
    labelled("Calls", [`${decimal(perS.calls)}/s`, `${formatCount(rate.calls)} so far`], columns),
    ...(validity.isValid ? [] : [colors.red("Not valid so far: the generator is late. Use a lower rate or a quieter machine.")]),
  ];
}

/** Calls of each operation in the last ten seconds. Columns that have no room are left out, the last ones first. */
function tableOf({ view, colors, columns }: Frame, shown: ReadonlySet<Operation>): string[] {
  const cells: [title: string, width: number, of: (recent: RecentOperation) => string][] = [
    ["/S", 7, ({ callsPerS }) => decimal(callsPerS)],
    ["P50", 7, ({ callsPerS, p50Ms }) => (callsPerS === 0 ? "–" : milliseconds(p50Ms))],
    ["P99", 7, ({ callsPerS, p99Ms }) => (callsPerS === 0 ? "–" : milliseconds(p99Ms))],
    ["FAILED", 6, ({ failed }) => formatCount(failed)],
  ];
  while (cells.length > 1 && labelWidth + cells.reduce((sum, [, width]) => sum + width + 2, 0) > columns) cells.pop();
  const room = columns - labelWidth - cells.reduce((sum, [, width]) => sum + width + 2, 0) - 2;
  const perMark = Math.ceil(60 / Math.max(1, room));
  const hasMarks = perMark <= 6;
  const rows = operations.flatMap((operation) => {
    const recent = view.operations.get(operation);
    if (recent === undefined || !shown.has(operation)) return [];
    const numbers = cells.map(([title, width, of]) => {
      const text = pad(of(recent), width, "right");
      return `  ${title === "FAILED" && recent.failed > 0 ? colors.red(text) : text}`;
    });
    const marks = hasMarks ? `  ${colors.cyan(sparkline(recent.lastMinuteP99Ms, perMark))}` : "";
    return [`${pad(operation, labelWidth)}${numbers.join("")}${marks}`];
  });
  const titles = cells.map(([title, width]) => `  ${pad(title, width, "right")}`).join("");
  return [colors.dim(`${pad("LAST 10 S", labelWidth)}${titles}${hasMarks ? "  P99, LAST MINUTE" : ""}`), ...rows];
}

const marks = "▁▂▃▄▅▆▇█";

/** A mark for each `perMark` values, by the logarithm of the greatest; the lowest mark is the least value of all, the highest at least four times that. */
export function sparkline(values: readonly (number | undefined)[], perMark: number): string {
  const known = values.filter((value) => value !== undefined);
  const least = Math.max(0.001, Math.min(...known));
  const span = Math.log(Math.max(4, Math.max(...known) / least));
  let line = "";
  for (let start = 0; start < values.length; start += perMark) {
    const group = values.slice(start, start + perMark).filter((value) => value !== undefined);
    const height = Math.log(Math.max(least, ...group) / least) / span;
    line += group.length === 0 ? " " : marks.charAt(Math.min(marks.length - 1, Math.floor(height * marks.length)));
  }
  return line;
}

function answers({ view, colors, columns }: Frame): string[] {
  const reasons = Object.entries(view.totals.outcomes).map(([reason, { count, operations: of }]) => {
    const text = `${name(reason)} ${formatCount(count)}`;
    const isFailure = (Object.keys(of) as Operation[]).some((operation) => outcomeClass(operation, reason) === "failed");
    return isFailure ? colors.red(text) : text;
  });
  return [labelled("Not OK", reasons.length === 0 ? ["none"] : reasons, columns)];
}

function places({ view, colors, columns }: Frame): string[] {
  const { inService, inUse } = view.places;
  if (inService === 0) return [];
  const text = `${formatCount(inUse)} of ${formatCount(inService)} in use (${Math.round((inUse / inService) * 100)} %)`;
  const width = Math.min(30, columns - labelWidth - textWidth(text) - 2);
  const full = Math.round((inUse / inService) * width);
  const bar = width < 8 ? "" : `${colors.cyan("█".repeat(full))}${colors.dim("░".repeat(width - full))}  `;
  return [`${pad("Places", labelWidth)}${bar}${text}`];
}

function ends({ view, columns }: Frame): string[] {
  const ended = Object.entries(view.totals.ends).map(([end, { count }]) => `${formatCount(count)} ${name(end)}`);
  return [labelled("Intentions", [`${formatCount(view.open)} open`, ...ended], columns)];
}

function violations({ view, colors, columns }: Frame): string[] {
  const found = Object.entries(view.totals.violations).map(([rule, { count }]) => colors.red(`${formatCount(count)} ${name(rule)}`));
  return [labelled("Violations", found.length === 0 ? [colors.green("none")] : found, columns)];
}

function gateway({ view, columns }: Frame): string[] {
  if (view.gateway === undefined) return [];
  const { cores, memoryBytes, lagMs } = view.gateway;
  const load = cores === undefined ? [] : [`${cores.toFixed(2)} cores`];
  return [labelled("Gateway", [...load, formatMegabytes(memoryBytes), `event loop lag p99 ${milliseconds(lagMs)}`], columns)];
}

/** What plain output has in place of a frame: where the run stands, in a line. */
export function renderLine({ header, view, elapsedMs }: Omit<Frame, "colors" | "columns" | "rows" | "isInterrupted">): string {
  const { perS, totals, places: used } = view;
  const left = view.leftMs === undefined ? "" : `, ${formatDuration(Math.ceil(view.leftMs / 1000))} left`;
  const latencies = (["find", "reserve"] as const).flatMap((operation) => {
    const recent = view.operations.get(operation);
    return recent === undefined ? [] : [`${operation} p50 ${milliseconds(recent.p50Ms)} p99 ${milliseconds(recent.p99Ms)}`];
  });
  const found = Object.values(totals.violations).reduce((sum, { count }) => sum + count, 0);
  const failed = Object.entries(totals.outcomes).reduce(
    (sum, [reason, { operations: of }]) =>
      sum +
      Object.entries(of).reduce(
        (part, [operation, count]) => part + (outcomeClass(operation as Operation, reason) === "failed" ? count : 0),
        0,
      ),
    0,
  );
  return [
    `${name(header.trace.city)} ${Math.floor(view.share * 100)} %, ${formatDuration(Math.floor(elapsedMs / 1000))}${left}`,
    `${decimal(perS.sent)}/s of ${decimal(perS.intended)}/s intended, ${formatCount(totals.rate.dropped)} dropped, ${formatCount(totals.rate.late)} late`,
    [`${decimal(perS.calls)} calls/s`, ...latencies, `${formatCount(failed)} failed`].join(", "),
    ...(used.inService === 0 ? [] : [`${Math.round((used.inUse / used.inService) * 100)} % of places in use`]),
    `${formatCount(view.open)} open`,
    `${formatCount(found)} violation${found === 1 ? "" : "s"}`,
  ].join("; ");
}

/** A label and as many of the parts as there is room for. */
function labelled(label: string, list: readonly string[], columns: number): string {
  return `${pad(label, labelWidth)}${parts(list, columns - labelWidth)}`;
}

/** Joins the parts for which there is room, and says how many are left out. */
function parts(all: readonly string[], width: number): string {
  const separator = " · ";
  const whole = all.join(separator);
  if (textWidth(whole) <= width) return whole;
  for (let kept = all.length - 1; kept > 0; kept--) {
    const line = `${all.slice(0, kept).join(separator)} … ${all.length - kept} more`;
    if (textWidth(line) <= width) return line;
  }
  return whole;
}

/** A name that a stranger may have chosen. */
function name(text: string): string {
  return truncate(escapeLine(text), longestName);
}

/** A rate or factor, with a decimal below ten. */
function decimal(value: number): string {
  return value > 0 && value < 10 ? value.toFixed(1) : formatCount(value);
}

/** A latency, in at most seven characters. */
function milliseconds(ms: number): string {
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 100_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.round(ms / 60_000)} min`;
}
