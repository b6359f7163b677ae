import { type Intention, readTrace, type TraceHeader } from "@petak/simulator";
import { fileProblem } from "../import-sites/file-problem.ts";
import { openText } from "../import-sites/text-source.ts";
import { Bounds } from "./bounds.ts";

/** A trace that a run replays. Every iteration gives the same intentions. */
export interface RunTrace {
  readonly header: TraceHeader;
  readonly count: number;
  /** Around where people start from. */
  readonly bounds: Bounds;
  readonly intentions: Iterable<Intention> | AsyncIterable<Intention>;
}

/**
 * Reads a trace to its end, so that whatever is wrong in it is known before a run begins, and gives it to be read again. Memory: one line.
 *
 * @throws CliFailure or InputError if the file cannot be used.
 */
export async function openTrace(path: string): Promise<RunTrace> {
  const text = await openText(path);
  const { header, intentions } = await readTrace(text.read(), text.name);
  const { count, bounds } = await look(intentions);
  if (count === 0) throw fileProblem(text.name, "has no intentions below its header");
  return {
    count,
    bounds,
    header,
    intentions: {
      async *[Symbol.asyncIterator]() {
        yield* (await readTrace(text.read(), text.name)).intentions;
      },
    },
  };
}

/** Counts intentions, and finds where they are. */
export async function look(intentions: Iterable<Intention> | AsyncIterable<Intention>): Promise<{ count: number; bounds: Bounds }> {
  const bounds = new Bounds();
  let count = 0;
  for await (const intention of intentions) {
    bounds.add(intention);
    count += 1;
  }
  return { count, bounds };
}
