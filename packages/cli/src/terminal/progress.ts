import { type Colors, toTerminal } from "./colors.ts";
import { textWidth } from "./text-width.ts";

/** A progress display. */
export interface Progress {
  /** @param done the completed part of `total`. May be called at any rate. */
  update(done: number): void;
  /** Ends the display and removes it from a terminal. */
  finish(): void;
}

export interface ProgressOptions {
  /** The stream to draw on. */
  stream: { write(text: string): unknown; columns?: number };
  /** True: a bar that is redrawn. False: occasional plain lines. */
  isTerminal: boolean;
  colors: Colors;
  /** The activity, e.g. `Importing`. */
  label: string;
  /** The total amount. 0: unknown. */
  total: number;
  /** The counted unit, e.g. `sites`, or a formatter of amounts. */
  unit: string | ((amount: number) => string);
  /** The time in ms. Default the process's monotonic clock. */
  now?: () => number;
}

/** Delay before the first display, in ms; quick work needs none. */
const quietMs = 2_000;
/** How long the rate is measured before it is shown, in ms: the first steps of a cold start say little about those that follow. */
const measuredMs = 1_000;
const redrawMs = 100;
/** Interval of plain lines, in ms, so that captured logs stay short. */
const plainLineMs = 10_000;
const barWidth = 24;

/** The width of a terminal; some report 0 if it is unknown. */
export function columnsOf({ columns }: { columns?: number }): number {
  return columns === undefined || columns === 0 ? 80 : columns;
}

/** Made when a number is written: making it takes 12 ms of a command's start. */
let wholeNumbers: Intl.NumberFormat | undefined;

/** Formats an integer with commas between the thousands. */
export function formatCount(amount: number): string {
  wholeNumbers ??= new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
  return wholeNumbers.format(amount);
}

/** Formats bytes in MB. */
export function formatMegabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Makes a progress display. Nothing is drawn in the first two seconds. */
export function createProgress(options: ProgressOptions): Progress {
  const { stream, isTerminal, colors, label, total, unit, now = () => performance.now() } = options;
  const write = typeof unit === "string" ? formatCount : unit;
  const suffix = typeof unit === "string" ? ` ${unit}` : "";
  let done = 0;
  /** The first step that was completed. The rate is counted from there: before it, work was only begun. */
  let first: { readonly done: number; readonly atMs: number } | undefined;
  let isDrawn = false;
  let lastMs = now() + quietMs - (isTerminal ? redrawMs : plainLineMs);

  function describe(): string {
    const elapsedMs = first === undefined ? 0 : now() - first.atMs;
    const perSecond = first !== undefined && elapsedMs >= measuredMs ? (done - first.done) / (elapsedMs / 1000) : 0;
    const rate = perSecond > 0 ? `, ${write(perSecond)}/s` : "";
    if (total <= 0) return `${write(done)}${suffix}${rate}`;
    const leftS = perSecond > 0 ? Math.ceil((total - done) / perSecond) : undefined;
    const left = leftS === undefined || done >= total ? "" : `, ${formatDuration(leftS)} left`;
    return `${write(done)} of ${write(total)}${suffix} (${Math.floor((done / total) * 100)} %)${rate}${left}`;
  }

  function draw(): void {
    if (!isTerminal) {
      stream.write(`${label}: ${describe()}\n`);
      return;
    }
    const filled = total > 0 ? Math.min(barWidth, Math.round((done / total) * barWidth)) : 0;
    const bar = total > 0 ? `${colors.cyan("━".repeat(filled))}${colors.dim("─".repeat(barWidth - filled))} ` : "";
    const text = describe();
    const room = columnsOf(stream) - 1;
    const full = `${label} ${bar}${text}`;
    const line = textWidth(full) <= room ? full : `${label} ${text}`.slice(0, Math.max(0, room));
    stream.write(`\r\u001b[2K${toTerminal(line)}`);
    isDrawn = true;
  }

  function redraw(): void {
    const time = now();
    if (time - lastMs < (isTerminal ? redrawMs : plainLineMs)) return;
    lastMs = time;
    draw();
  }

  // The bar is also redrawn without updates, so that a hanging step is visible.
  const timer = isTerminal ? setInterval(redraw, 500).unref() : undefined;
  return {
    update(amount) {
      done = amount;
      if (amount > 0) first ??= { done, atMs: now() };
      redraw();
    },
    finish() {
      clearInterval(timer);
      if (isDrawn) stream.write("\r\u001b[2K");
      isDrawn = false;
    },
  };
}

/** Formats a time in its largest unit. */
export function formatDuration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.ceil(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
