import type { TraceHeader } from "../trace/header.ts";

/** Name and version of the schema of run logs. */
export const runSchema = "petak.run";
export const runVersion = 1;

/** How the network's time passes in a run. */
export type Pace =
  /** The gateway's test clock is moved from step to step, as fast as the machine can. */
  | { readonly clock: "driven"; readonly stepMs: number }
  /** The system's clock; what the trace has as `speed` ms passes in 1 ms. Stays and times to the deposit are as much shorter, the gateway's terms are not. */
  | { readonly clock: "wall"; readonly speed: number };

/** The first line of a run log. */
export interface RunHeader {
  readonly trace: TraceHeader;
  /** Number of intentions. */
  readonly intentions: number;
  readonly gateway: string;
  readonly protocol: "connect" | "grpc";
  /** Name and version of the software that drew, ran and judged. */
  readonly software: string;
  readonly pace: Pace;
  /** When the run began, by the network's time and by this machine's: ms since 1970. */
  readonly beganAtMs: number;
  readonly beganOnMs: number;
  /** The faults that the run made, by name, e.g. `{"jammedDoors":0.002}`. */
  readonly faults: { readonly [name: string]: number };
  readonly processes: number;
  /** What the reader of a report must know, in sentences. */
  readonly remarks: readonly string[];
}
