import { PetakError } from "@petak/protocol";

const notMadeHere =
  "it was not made by this gateway for this caller and query; send a cursor exactly as it was received, or none to start at the beginning";

/** The error for a cursor that cannot be used. @param why default: it was not made here */
export function invalidCursor(why: string = notMadeHere): PetakError {
  return new PetakError("CURSOR_INVALID", `cursor: ${why}`, {
    fieldViolations: [{ field: "cursor", description: "must be a cursor of this gateway for the same query", rule: "cursor.made_here" }],
  });
}
