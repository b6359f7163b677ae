import { PetakError, type Region } from "@petak/protocol";

/** How far a reader has come in each region's record. */
export type EventCursor = ReadonlyMap<Region, string>;

const version = "1";
const placePattern = /^(8[0-9a-f]{5})@(\d{1,16}-\d{1,10})$/;

/** Writes a cursor. Opaque to callers: its layout may change with the version it begins with. */
export function encodeCursor(cursor: EventCursor): string {
  const places = [...cursor].map(([region, entry]) => `${region}@${entry}`).sort();
  return Buffer.from([version, ...places].join(" ")).toString("base64url");
}

/**
 * Reads a cursor.
 *
 * @throws {PetakError} CURSOR_INVALID where the text is not what {@link encodeCursor} writes.
 */
export function decodeCursor(text: string): EventCursor {
  const [found, ...places] = Buffer.from(text, "base64url").toString().split(" ");
  const cursor = new Map<Region, string>();
  for (const place of places) {
    const [, region, entry] = placePattern.exec(place) ?? [];
    if (region !== undefined && entry !== undefined) cursor.set(region, entry);
  }
  if (found !== version || encodeCursor(cursor) !== text) {
    throw new PetakError("CURSOR_INVALID", "cursor is not one that this gateway made; send back a cursor as it was received", {
      fieldViolations: [{ field: "cursor", description: "not a cursor of this gateway", rule: "cursor.made_here" }],
    });
  }
  return cursor;
}
