import { copyFileSync } from "node:fs";

/** Copies what is on the disk of a database at this moment, as a power cut leaves it. Returns the path of the copy. */
export function copyDatabase(from: string, to: string): string {
  for (const suffix of ["", "-wal"]) copyFileSync(`${from}${suffix}`, `${to}${suffix}`);
  return to;
}
