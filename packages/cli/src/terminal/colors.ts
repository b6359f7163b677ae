import { randomInt } from "node:crypto";
import { escapeUnprintable } from "@petak/protocol/printable-text";

/** The colours that are used, as the numbers of the terminal's sequences that begin and end them. */
const sequences = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const;

/** Paints text for a terminal, or leaves it as it is. */
export type Colors = Readonly<Record<keyof typeof sequences, (text: string) => string>>;

/**
 * Marks this process's own sequences, so that {@link toTerminal} can tell them from those in a text that somebody else wrote. To everything that
 * measures text they are ordinary sequences.
 */
const mark = Array.from({ length: 3 }, () => randomInt(1000, 10_000)).join(";");
const begin = `\u001b[${mark};`;

function sequence(number: number): string {
  return `${begin}${number}m`;
}

/** Makes colours. The texts that they paint must be written with {@link toTerminal}. */
export function createColors(isEnabled: boolean): Colors {
  const painter = ([on, off]: readonly [number, number]) => {
    if (!isEnabled) return (text: string) => text;
    const [first, last] = [sequence(on), sequence(off)];
    // A colour within a text ends the outer one too.
    return (text: string) => `${first}${text.replaceAll(last, last + first)}${last}`;
  };
  const { bold, dim, red, green, yellow, cyan } = sequences;
  return { bold: painter(bold), dim: painter(dim), red: painter(red), green: painter(green), yellow: painter(yellow), cyan: painter(cyan) };
}

/**
 * Escapes everything in a line that a terminal or a reader could take for something other than text, e.g. as `\u001b`, line breaks too, except for
 * colours of {@link createColors}.
 */
export function escapeLine(line: string): string {
  return line
    .split(begin)
    .map((part, index) => {
      const end = index === 0 ? 0 : part.indexOf("m") + 1;
      return part.slice(0, end) + escapeUnprintable(part.slice(end));
    })
    .join(begin);
}

/** Returns a line as it may be written to a terminal: escaped, and with its colours. */
export function toTerminal(line: string): string {
  return escapeLine(line).replaceAll(begin, "\u001b[");
}
