import { stripVTControlCharacters } from "node:util";

/** Made when a text needs it: making it takes 15 ms of a command's start. */
let segmenter: Intl.Segmenter | undefined;

function graphemesOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter();
  return segmenter.segment(text);
}

/** Characters that terminals draw two columns wide, including emoji. */
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|^\p{Emoji_Presentation}/u;
/** Text of nothing but ASCII, dots, and the shapes of bars: its width is its length, and finding graphemes would take long. */
const narrow = /^[\u0020-\u007e\u00b7\u2013\u2026\u2500-\u259f]*$/;
const invisible = /^[\p{Mark}\p{Control}\p{Format}]+$/u;

/** The width of a text in terminal columns, ignoring colours. */
export function textWidth(text: string): number {
  const plain = stripVTControlCharacters(text);
  if (narrow.test(plain)) return plain.length;
  let width = 0;
  for (const { segment } of graphemesOf(plain)) width += invisible.test(segment) ? 0 : wide.test(segment) ? 2 : 1;
  return width;
}

/** Truncates a text to `width` columns with an ellipsis. Not for coloured text. */
export function truncate(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let kept = "";
  let used = 0;
  for (const { segment } of graphemesOf(text)) {
    const next = textWidth(segment);
    if (used + next > width - 1) break;
    kept += segment;
    used += next;
  }
  return `${kept}…`;
}

/** Pads a text with spaces to `width` columns, after or before it. */
export function pad(text: string, width: number, align: "left" | "right" = "left"): string {
  const space = " ".repeat(Math.max(0, width - textWidth(text)));
  return align === "left" ? text + space : space + text;
}
