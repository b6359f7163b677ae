/** Candidates for holds, as tests and measurements make them themselves. Apart from what needs a test runner, so that a measurement can import it. */
export { type HoldCandidate, holdClass, storedCandidate } from "../reservations/candidates.ts";
export { createSearchableRecords, type SearchableRecords } from "./searchable-records.ts";
