import { CutOffError, InputError, type InputPlace } from "../input/input-error.ts";

/** Longest line of a trace in characters, so that memory use is bounded. */
const longestTraceLine = 64 * 1024;

/** A line of a text, without its end. */
export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/**
 * Splits a text into lines that each end in `\n`. Memory: one piece and one line.
 *
 * @param longestLine in characters. Default: 65,536
 * @throws InputError if a line is longer than that.
 * @throws CutOffError after the last whole line, if the text does not end with it.
 */
export async function* readLines(
  pieces: AsyncIterable<string> | Iterable<string>,
  file: string,
  longestLine = longestTraceLine,
): AsyncGenerator<Line, void, undefined> {
  let number = 1;
  let rest = "";
  for await (const piece of pieces) {
    let from = 0;
    for (let end = piece.indexOf("\n"); end >= 0; end = piece.indexOf("\n", from)) {
      yield { number, text: rest + piece.slice(from, end) };
      number++;
      rest = "";
      from = end + 1;
    }
    rest += piece.slice(from);
    if (rest.length > longestLine) {
      throw new InputError({ file, line: number }, `the line is longer than ${longestLine} characters; this is not newline-delimited JSON`);
    }
  }
  if (rest !== "") throw new CutOffError({ file, line: number }, "the last line has no end: the file is cut off");
}

/**
 * Parses a line as JSON.
 *
 * @throws InputError
 */
export function parseLine({ text }: Line, place: InputPlace): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(place, "the line is not JSON", { cause: error });
  }
}
