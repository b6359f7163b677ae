/** Shared by the tests of this package and of others. */
export { dayMs } from "../archive/files/archive-layout.ts";
export { type ArchiveWorld, courier, openArchiveWorld, region } from "../archive/testing/archive-world.ts";
export { decodePinEntry } from "../encoding/pin-entry.ts";
export { createScript } from "../lua/create-script.ts";
export { giveBack, request, reserve, resolveSite } from "../reservations/testing/holding.ts";
