import type { TraceHeader } from "./header.ts";
import type { Intention } from "./intention.ts";

/** A period in ms since 1970, without its end. */
export interface CutPeriod {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The header of a part of a trace. @throws RangeError if the period is empty or goes beyond that of the trace */
export function cutHeader(header: TraceHeader, { fromMs, toMs }: CutPeriod): TraceHeader {
  const startMs = Date.parse(header.startAt);
  if (!(fromMs >= startMs && fromMs < toMs && toMs <= startMs + header.durationMs)) {
    throw new RangeError(`the period from ${fromMs} to ${toMs} is empty or not within the trace's`);
  }
  const [from, to] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
  return { ...header, startAt: from, durationMs: toMs - fromMs, parameters: { ...header.parameters, cut: { from, to } } };
}

/**
 * The intentions that begin in a period, as those of a trace that begins with the period. They keep their ids and all that follows them, also after the
 * period's end.
 *
 * @param startAt of the whole trace
 */
export async function* cutIntentions(
  intentions: Iterable<Intention> | AsyncIterable<Intention>,
  startAt: string,
  { fromMs, toMs }: CutPeriod,
): AsyncGenerator<Intention, void, undefined> {
  const startMs = Date.parse(startAt);
  for await (const intention of intentions) {
    const atMs = startMs + intention.atMs;
    if (atMs >= toMs) return;
    if (atMs >= fromMs) yield { ...intention, atMs: atMs - fromMs };
  }
}
