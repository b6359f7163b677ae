/**
 * Matches what text must not have that is shown to people: control characters (C0, DEL, C1), line and paragraph separators, and characters that
 * change the direction of text. The rule `petak.v1.printable` of the schema forbids the same, and half a surrogate pair.
 */
const forbidden = String.raw`[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]`;
const halfPair = String.raw`[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]`;

const unprintable = new RegExp(forbidden);
const allUnprintable = new RegExp(`${forbidden}|${halfPair}`, "g");

/** Whether a text satisfies the rule `petak.v1.printable`: one line that shows what it is. */
export function isPrintable(text: string): boolean {
  return !unprintable.test(text) && text.isWellFormed();
}

/** Returns a text that may be printed: what the rule `petak.v1.printable` forbids is written as in JSON, e.g. `\u001b`. Other text is unchanged. */
export function escapeUnprintable(text: string): string {
  return isPrintable(text) ? text : text.replace(allUnprintable, asEscape);
}

function asEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
