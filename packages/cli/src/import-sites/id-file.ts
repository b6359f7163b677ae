import { closeSync, openSync, writeSync } from "node:fs";
import type { UpsertSiteResult } from "@petak/protocol";
import { CliFailure } from "../failure.ts";
import { toCell } from "./report.ts";

/** A CSV file with the reference and the id of each written site. */
export interface IdFile {
  add(results: readonly UpsertSiteResult[]): void;
  close(): void;
}

/** @throws CliFailure if the file cannot be written. */
export function openIdFile(path: string): IdFile {
  let file: number;
  try {
    file = openSync(path, "w");
  } catch (error) {
    throw new CliFailure(`${path} cannot be written (${(error as NodeJS.ErrnoException).code}).`, { cause: error });
  }
  writeSync(file, "operator_site_ref,site_id\n");
  return {
    add: (results) => void writeSync(file, results.map(({ operatorSiteRef, siteId }) => `${toCell(operatorSiteRef)},${siteId}\n`).join("")),
    close: () => closeSync(file),
  };
}
