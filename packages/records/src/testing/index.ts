/** What tests of this package and of those around it share. */
export { createScript } from "../create-script.ts";
export { giveBack, request, reserve } from "../reservations/testing/holding.ts";
