/** An object out of JSON whose keys are known ones. */
export type JsonObject = Record<string, unknown>;

/** What a text says; undefined where it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a value is an object that has none but these fields. */
export function isObjectOf(value: unknown, fields: readonly string[]): value is JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  // What JSON was parsed into inherits nothing that a loop meets, and a list of keys would be made for each.
  for (const key in value) if (!fields.includes(key)) return false;
  return true;
}

/** Whether a value is a number that a field of type double takes: one beyond its range is read as infinity. */
export function isFiniteNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** Whether a value is a number that a field of type uint32 takes as it is. */
export function isUint32(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0xffffffff && !Object.is(value, -0);
}

/** Whether a value is a text that a field of type string takes: the protocol has no halves of characters. */
export function isText(value: unknown): value is string {
  return typeof value === "string" && value.isWellFormed();
}

/**
 * Whether a text that was parsed into these objects has each key once: `JSON.parse` takes the last of several equal keys, the protocol none of
 * them. A colon more than there are keys is one of those, or in a text, and then it is not known.
 */
export function hasKeysOnce(text: string, ...objects: readonly JsonObject[]): boolean {
  let colons = 0;
  for (let at = text.indexOf(":"); at >= 0; at = text.indexOf(":", at + 1)) colons += 1;
  for (const object of objects) for (const _ in object) colons -= 1;
  return colons === 0;
}
