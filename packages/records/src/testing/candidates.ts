/** What measurements use besides tests: a separate entry point, since the other one needs a test runner. */
export { holdClass } from "../encoding/hold-classes.ts";
export { type HoldCandidate, storedCandidate } from "../reservations/candidates.ts";
export { createSearchableRecords, type SearchableRecords } from "./searchable-records.ts";
