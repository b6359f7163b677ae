/** The axis of an angle, which determines its hemispheres and range. */
export type Axis = "latitude" | "longitude";

/** A parsed angle, or why the text is not one. */
export type AngleResult =
  | { readonly ok: true; readonly degrees: number }
  | {
      readonly ok: false;
      /** `swapped`: it can only be of the other axis. `out-of-range`: a number outside the axis's range. `unreadable`: not an angle. */
      readonly problem: "empty" | "unreadable" | "out-of-range" | "swapped";
      readonly message: string;
      /** For `out-of-range`: the number. */
      readonly degrees?: number;
    };

const limits = { latitude: 90, longitude: 180 } as const;
const hemispheres = { latitude: "NS", longitude: "EW" } as const;

/** Degrees, minutes or seconds with the usual marks. */
const unitPattern =
  /^(\d+(?:[.,]\d*)?|[.,]\d+)\s*(°|º|˚|degrees?|deg|d|''|′′|"|″|”|“|seconds?|secs?|sec|s|'|′|’|‘|´|`|minutes?|mins?|min|m|:)?\s*/i;

/**
 * Parses an angle in the usual notations: decimal degrees with a point or a comma (`1.3521`, `1,3521`, `-6.2`), degrees, minutes and
 * seconds with or without marks (`1°21'07.4"N`, `1 21 7.4 N`, `103d49m12sE`, `1:21:07.4`), and degrees with decimal minutes
 * (`N 1° 21.123'`). A hemisphere letter before or after replaces the sign.
 *
 * Contradictory texts (a sign and a hemisphere, 61 minutes, a fraction before minutes) are refused.
 */
export function parseAngle(text: string, axis: Axis): AngleResult {
  const trimmed = text.trim();
  if (trimmed === "") return { ok: false, problem: "empty", message: `the ${axis} is empty` };
  const marked = takeHemisphere(trimmed);
  if (marked === undefined) return unreadable(text, axis);
  const signed = /^([-−–+])\s*/.exec(marked.rest);
  if (signed !== null && marked.hemisphere !== undefined) {
    return { ok: false, problem: "unreadable", message: `the ${axis} "${text}" has a sign and a hemisphere: keep one of them` };
  }
  const magnitude = parseMagnitude(signed === null ? marked.rest : marked.rest.slice(signed[0].length));
  if (typeof magnitude === "string") return { ok: false, problem: "unreadable", message: `the ${axis} "${text}" ${magnitude}` };
  if (magnitude === undefined) return unreadable(text, axis);
  const { hemisphere } = marked;
  if (hemisphere !== undefined && !hemispheres[axis].includes(hemisphere)) {
    const other = axis === "latitude" ? "longitude" : "latitude";
    return { ok: false, problem: "swapped", message: `the ${axis} "${text}" says ${hemisphere}, which is a ${other}: the two are swapped` };
  }
  const isNegative = hemisphere === "S" || hemisphere === "W" || (signed !== null && signed[1] !== "+");
  return checkAngle(isNegative ? -magnitude : magnitude, axis, trimmed);
}

/**
 * Checks a numeric angle.
 *
 * @param shown its text in messages. Default: as JavaScript writes it
 */
export function checkAngle(degrees: number, axis: Axis, shown = String(degrees)): AngleResult {
  if (!Number.isFinite(degrees)) return { ok: false, problem: "unreadable", message: `the ${axis} ${shown} is no number` };
  const limit = limits[axis];
  if (Math.abs(degrees) > limit) {
    return { ok: false, problem: "out-of-range", message: `the ${axis} ${shown} is outside -${limit} to ${limit} degrees`, degrees };
  }
  // Adding 0 turns -0 into 0.
  return { ok: true, degrees: degrees + 0 };
}

/**
 * Parses a latitude and a longitude from one text, `1.3521,103.8198` or `1°21'07"N 103°49'11"E`, latitude first.
 */
export function parsePosition(text: string): { latitude: AngleResult; longitude: AngleResult } {
  const [latitude, longitude] = splitPosition(text.trim());
  return { latitude: parseAngle(latitude, "latitude"), longitude: parseAngle(longitude, "longitude") };
}

function splitPosition(text: string): [string, string] {
  // Split at the comma (or the second of three, with decimal commas), else after the hemisphere letter, else at white space.
  const commas = text.split(",");
  if (commas.length === 2) return [commas[0] ?? "", commas[1] ?? ""];
  if (commas.length === 4) return [`${commas[0]},${commas[1]}`, `${commas[2]},${commas[3]}`];
  const semicolons = text.split(/[;/]/);
  if (semicolons.length === 2) return [semicolons[0] ?? "", semicolons[1] ?? ""];
  const byLetter = /^[NS]/i.test(text) ? /^(.*\d\S*)\s*([EW].*)$/i.exec(text) : /^(.*?[NS])\s*(\S.*)$/i.exec(text);
  if (byLetter !== null) return [byLetter[1] ?? "", byLetter[2] ?? ""];
  const words = text.split(/\s+/);
  const half = words.length / 2;
  return Number.isInteger(half) ? [words.slice(0, half).join(" "), words.slice(half).join(" ")] : [text, ""];
}

function takeHemisphere(text: string): { rest: string; hemisphere: string | undefined } | undefined {
  const before = /^([NSEW])(?![a-z])[\s.:]*/i.exec(text);
  // A final "s" straight after a digit's seconds mark is a unit, not the south: `7s` is 7 seconds, `7.4"S` and `7 S` are south.
  const behind = /(?<![a-z])\s*([NSEW])\.?$/i.exec(text) ?? /(?<=[dms])([NSEW])$/i.exec(text);
  if (before !== null) {
    const rest = text.slice(before[0].length);
    // A letter at both ends is only allowed if one is the mark for seconds.
    if (/[NEW]$/i.test(rest)) return undefined;
    return { rest, hemisphere: (before[1] ?? "").toUpperCase() };
  }
  if (behind === null || isSecondsMark(text)) return { rest: text, hemisphere: undefined };
  return { rest: text.slice(0, behind.index), hemisphere: (behind[1] ?? "").toUpperCase() };
}

/** Whether the final letter means seconds, as in `103d49m12s`. */
function isSecondsMark(text: string): boolean {
  return /\d\s*d.*\d\s*m[^a-z]*\d+(?:[.,]\d+)?\s*s$/i.test(text);
}

/** Degrees as a number, an error as a text, or undefined if it is not an angle. */
function parseMagnitude(text: string): number | string | undefined {
  const parts: { value: number; isWhole: boolean; unit: number | undefined }[] = [];
  let rest = text.trim();
  while (rest !== "") {
    const match = unitPattern.exec(rest);
    if (match === null || parts.length === 3) return undefined;
    const [whole, digits = "", mark] = match;
    parts.push({ value: Number(digits.replace(",", ".")), isWhole: /^\d+$/.test(digits), unit: unitOf(mark) });
    rest = rest.slice(whole.length);
    // Adjacent numbers are a malformed number, as in 1,234.5.
    if (rest !== "" && mark === undefined && !/\s$/.test(whole)) return undefined;
  }
  if (parts.length === 0) return undefined;
  let degrees = 0;
  for (const [index, { value, isWhole, unit }] of parts.entries()) {
    if (unit !== undefined && unit !== index) return undefined;
    if (index > 0 && value >= 60) return `has ${value} ${index === 1 ? "minutes" : "seconds"}: there are less than 60`;
    if (index < parts.length - 1 && !isWhole) return "has a fraction before the smaller unit: write it as one decimal number";
    degrees += value / 60 ** index;
  }
  return degrees;
}

/** 0 for degrees, 1 for minutes, 2 for seconds, undefined for an ambiguous mark. */
function unitOf(mark: string | undefined): number | undefined {
  if (mark === undefined || mark === ":") return undefined;
  if (/^(°|º|˚|d)/i.test(mark)) return 0;
  if (mark.length === 2 && /^['′]/.test(mark)) return 2;
  if (/^(["″”“]|s)/i.test(mark)) return 2;
  return 1;
}

function unreadable(text: string, axis: Axis): AngleResult {
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  return {
    ok: false,
    problem: "unreadable",
    message: `the ${axis} "${shown}" is no angle: write e.g. ${axis === "latitude" ? "1.3521 or 1°21'07.4\"N" : "103.8198 or 103°49'11.3\"E"}`,
  };
}
