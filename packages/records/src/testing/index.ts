/** What tests of this package and of those around it share. */
export { dayMs } from "../archive/files/archive-layout.ts";
export { type ArchiveWorld, courier, openArchiveWorld, region } from "../archive/testing/archive-world.ts";
export { createScript } from "../create-script.ts";
export { giveBack, request, reserve, resolveSite } from "../reservations/testing/holding.ts";
