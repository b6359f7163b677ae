/** What tests of this package and of those over it share. */
export { plainQuery, smallParcel } from "./plain-query.ts";
