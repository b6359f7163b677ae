import type { RunHeader } from "../observe/run-header.ts";

/** What the oracle must know of a run. */
export interface OracleOptions {
  /** How far times that different machines state may be apart, in ms. Default 5000. */
  readonly toleranceMs?: number;
  /** Nobody else reserves at the sites of the city: counts can be too high as well. Default false. */
  readonly isAlone?: boolean;
  /** The cabinets' sensors may not see a parcel: a credential may then open its door again. Default false. */
  readonly hasBlindSensors?: boolean;
}

const defaultToleranceMs = 5000;

/** The options for a run. @param isAlone nobody else reserves at the sites of the city */
export function oracleOptionsOf({ faults }: Pick<RunHeader, "faults"> & Partial<RunHeader>, isAlone = false): OracleOptions {
  return { isAlone, hasBlindSensors: (faults.blindSensors ?? 0) > 0 };
}

/** The options with their defaults. */
export function withDefaults({ toleranceMs = defaultToleranceMs, isAlone = false, hasBlindSensors = false }: OracleOptions) {
  return { toleranceMs, isAlone, hasBlindSensors } as const;
}
export type FullOptions = ReturnType<typeof withDefaults>;
