/** The longest code that is taken, in characters. */
const codeMaxLength = 1200;

// biome-ignore lint/suspicious/noControlCharactersInRegex: scanners send control characters between the parts of a code.
const controls = /[\u0000-\u001f\u007f]/g;

/** A code as scanned or typed, without what scanners and keyboards put around and into it. Empty: there is none. */
export function cleanCode(text: string): string {
  return text.replaceAll(controls, "").trim().slice(0, codeMaxLength);
}
