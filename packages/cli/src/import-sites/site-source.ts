import type { Refusal } from "./refusal.ts";
import type { SiteDraft } from "./site-draft.ts";
import type { ColumnMapping, SiteField } from "./site-fields.ts";
import type { ReadObserver, TextSource } from "./text-source.ts";

/** A form in which lists of sites come. */
export type FileFormat = "csv" | "geojson" | "dhl";

/** How a file is to be read. */
export interface SourceOptions {
  /** Columns that were said, by field. */
  readonly columns: ReadonlyMap<SiteField, string>;
  readonly nameTemplate: string | undefined;
  /** For CSV: what divides the cells. Undefined: told by the header. */
  readonly delimiter: string | undefined;
  /** Today in ms since 1970, for closures that are over. */
  readonly nowMs: number;
}

/** A file of sites. */
export interface SiteSource {
  readonly format: FileFormat;
  /** For people, e.g. `CSV, cells divided by ";"`. */
  readonly description: string;
  /** Which column gives which fact; undefined where the format says it. */
  readonly mapping: ColumnMapping | undefined;
  /** Reads the file from its start. May be called again. Throws a CliFailure where the file as a whole cannot be read. */
  drafts(observer?: ReadObserver): AsyncGenerator<SiteDraft | Refusal, void, undefined>;
}

/** Opens a file in one format: looks at its beginning and decides how to read it. */
export type OpenSource = (text: TextSource, options: SourceOptions) => Promise<SiteSource>;
