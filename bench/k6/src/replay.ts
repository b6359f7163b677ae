import type { RampingArrivalRateScenario } from "k6/options";

/** What a replay takes of a line of a trace. */
export interface ReplayedIntention {
  readonly atMs: number;
  readonly latitude: number;
  readonly longitude: number;
  readonly widthMm: number;
  readonly heightMm: number;
  readonly depthMm: number;
  readonly massG: number;
}

/** The defaults of a trace's optional fields, see `docs/trace.md`. */
const defaults = { widthMm: 300, heightMm: 80, depthMm: 200, massG: 1000 };

/**
 * Reads a recorded trace: a line of JSON each, the first is the header.
 *
 * @throws an Error that names the line.
 */
export function readTrace(text: string, path: string): ReplayedIntention[] {
  const lines = text.split("\n").filter((line) => line !== "");
  const { schema } = parse(lines[0] ?? "", path, 1) as { schema?: string };
  if (schema !== "petak.trace") throw new Error(`${path} is no trace: its first line has the schema "${schema}", not "petak.trace".`);
  if (lines.length < 2) throw new Error(`${path} has no intentions below its header.`);
  return lines.slice(1).map((line, index) => ({ ...defaults, ...(parse(line, path, index + 2) as ReplayedIntention) }));
}

function parse(line: string, path: string, number: number): object {
  try {
    return JSON.parse(line) as object;
  } catch {
    throw new Error(`Line ${number} of ${path} is not JSON.`);
  }
}

/** The longest piece of time with one rate, in a replay's own time: a second, if that is not too many pieces. */
const stagesMax = 600;

/**
 * The arrivals of a trace as k6 can make them: a rate that steps from piece to piece of time. Within a piece they are evenly spaced, so intended times are kept to
 * within a piece; `petak replay` keeps each one.
 *
 * @param speed how many times as fast as recorded
 */
export function replayedArrivals(trace: readonly ReplayedIntention[], speed: number): RampingArrivalRateScenario {
  const lastS = (trace[trace.length - 1]?.atMs ?? 0) / 1000 / speed;
  const pieceS = Math.max(1, Math.ceil((lastS + 1) / stagesMax));
  const counts = new Array<number>(Math.floor(lastS / pieceS) + 1).fill(0);
  for (const { atMs } of trace) {
    const piece = Math.floor(atMs / 1000 / speed / pieceS);
    counts[piece] = (counts[piece] ?? 0) + 1;
  }
  const most = Math.max(...counts) / pieceS;
  return {
    executor: "ramping-arrival-rate",
    startRate: counts[0] ?? 0,
    timeUnit: `${pieceS}s`,
    preAllocatedVUs: Math.max(10, Math.ceil(most / 2)),
    maxVUs: Math.max(40, Math.ceil(most * 4)),
    // A stage of no length sets the rate at once.
    stages: counts.flatMap((count) => [
      { duration: "0s", target: count },
      { duration: `${pieceS}s`, target: count },
    ]),
  };
}
