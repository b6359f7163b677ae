import type { Refusal } from "./refusal.ts";
import type { SiteDraft } from "./site-draft.ts";
import type { ColumnMapping, SiteField } from "./site-fields.ts";
import type { ReadObserver, TextSource } from "./text-source.ts";

/** Format of a list of sites. */
export type FileFormat = "csv" | "geojson" | "dhl";

export interface SourceOptions {
  /** Given columns, by field. */
  readonly columns: ReadonlyMap<SiteField, string>;
  readonly nameTemplate: string | undefined;
  /** CSV: the delimiter. Undefined: detected by the header. */
  readonly delimiter: string | undefined;
  /** The present time in ms since 1970, to skip past closures. */
  readonly nowMs: number;
}

/** A file of sites. */
export interface SiteSource {
  readonly format: FileFormat;
  /** Description, e.g. `CSV, cells divided by ";"`. */
  readonly description: string;
  /** The columns of the fields; undefined if the format determines them. */
  readonly mapping: ColumnMapping | undefined;
  /** Reads the file from its start. Repeatable. Throws a CliFailure if the file is unreadable. */
  drafts(observer?: ReadObserver): AsyncGenerator<SiteDraft | Refusal, void, undefined>;
}

/** Opens a file of one format, after examining its beginning. */
export type OpenSource = (text: TextSource, options: SourceOptions) => Promise<SiteSource>;
