/** Fixtures shared by the tests of this package and of packages that depend on it. */
export { plainQuery, smallParcel } from "./plain-query.ts";
