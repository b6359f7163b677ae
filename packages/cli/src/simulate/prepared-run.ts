import type { KeyFile, TlsOptions } from "@petak/client/node";
import type { Faults, Pace } from "@petak/simulator";
import type { SimulatedCity } from "./city.ts";
import type { OutputFiles } from "./output-files.ts";
import type { Plan } from "./plan-sites.ts";
import type { RunKeys } from "./run-keys.ts";
import type { RunOptions } from "./run-options.ts";
import type { RunSites } from "./run-sites.ts";
import type { RunTrace } from "./trace-file.ts";

/** A run of which everything is decided and checked, and nothing is done. */
export interface PreparedRun {
  readonly url: string;
  readonly tls: (() => TlsOptions) | undefined;
  readonly city: SimulatedCity;
  readonly trace: RunTrace;
  readonly pace: Pace;
  readonly keys: RunKeys;
  /** Whether parcels are deposited and collected. */
  readonly hasDoors: boolean;
  /** Puts sites into the directory for the run. Undefined: nothing is put there. */
  readonly operator: KeyFile | undefined;
  /** Only the sites of this operator are in the run. Undefined: all of the city. */
  readonly operatorId: string | undefined;
  readonly sites: RunSites;
  /** Whether nobody else reserves at these sites. */
  readonly isAlone: boolean;
  readonly faults: Faults;
  readonly plan: Plan | undefined;
  readonly files: OutputFiles;
  readonly options: RunOptions;
  /** What the reader of a report must know, in sentences. */
  readonly remarks: readonly string[];
}
