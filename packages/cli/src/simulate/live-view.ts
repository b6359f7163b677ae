import { createProgress, type Measure, type Observation, type Progress, type RunHeader } from "@petak/simulator";
import type { Output } from "../terminal/output.ts";
import { renderFrame, renderLine } from "./live-frame.ts";

/** Shows a run while it is under way: on a terminal in a frame at its end, elsewhere in a line every few seconds. On standard error. */
export interface LiveView {
  /** Starts to show a run. */
  begin(header: RunHeader, measure: Measure): void;
  /** Takes an observation, after the measure. */
  observe(observation: Observation): void;
  /** Writes a note above the frame. */
  note(sentence: string): void;
  /** Removes the frame. */
  end(): void;
}

export interface LiveViewOptions {
  readonly output: Output;
  /** Aborts when the user interrupts the run. */
  readonly signal: AbortSignal;
  /** The time in ms. Default the process's monotonic clock. */
  readonly now?: () => number;
}

/** How often a frame is drawn, in ms. */
const frameMs = 250;
/** How often a line is written, in ms, so that captured logs stay short. */
const lineMs = 5_000;

export function createLiveView({ output, signal, now = () => performance.now() }: LiveViewOptions): LiveView {
  const area = output.liveArea();
  let stop: (() => void) | undefined;
  let progress: Progress | undefined;

  function show(header: RunHeader, following: Progress, elapsedMs: number, isTimeForLine: boolean): void {
    // The rates are of the time since earlier views.
    const view = following.view(elapsedMs);
    if (area !== undefined) {
      area.draw(renderFrame({ header, view, elapsedMs, isInterrupted: signal.aborted, colors: output.errorColors, ...area.size() }));
    } else if (isTimeForLine) output.note(renderLine({ header, view, elapsedMs }));
  }

  return {
    begin(header, measure) {
      const beganMs = now();
      const following = createProgress(header, measure);
      progress = following;
      let lastLineMs = 0;
      const timer = setInterval(
        () => {
          const elapsedMs = now() - beganMs;
          const isTimeForLine = elapsedMs - lastLineMs >= lineMs;
          if (isTimeForLine) lastLineMs = elapsedMs;
          show(header, following, elapsedMs, isTimeForLine);
        },
        area === undefined ? 1000 : frameMs,
      ).unref();
      stop = () => clearInterval(timer);
    },
    observe(observation) {
      progress?.observe(observation);
    },
    note(sentence) {
      if (area === undefined) output.note(sentence);
      else area.print(sentence);
    },
    end() {
      stop?.();
      area?.clear();
    },
  };
}
