import type { SiteFilters } from "@petak/client";
import type { KeyFile, TlsOptions } from "@petak/client/node";
import type { ActorParameters, Faults } from "../actors/parameters.ts";
import type { Observation } from "../observe/observation.ts";
import type { Pace } from "../observe/run-header.ts";
import type { ProcessGroup } from "../process-group/process-group.ts";
import type { TraceHeader } from "../trace/header.ts";
import type { Intention } from "../trace/intention.ts";

/** How a trace is run against a gateway. */
export interface CityRun {
  readonly trace: { readonly header: TraceHeader; readonly intentions: AsyncIterable<Intention> | Iterable<Intention> };
  readonly gateway: {
    readonly url: string;
    readonly protocol: "connect" | "grpc";
    /** How it is connected to over TLS, without functions: processes of a run hand it to one another. Default: as the system does. */
    readonly tls?: TlsOptions | undefined;
  };
  /** Who reserves and carries: courier n of an intention is number (n − 1) modulo their number. At least one. */
  readonly couriers: readonly KeyFile[];
  /** Keys of the operators at whose sites the run has doors, by participant id. */
  readonly operators: ReadonlyMap<string, KeyFile>;
  /** With which shoppers look. Default: their courier's key. */
  readonly publishableKey?: string;
  /** Limits the directory. Default: all sites. In any case those near somebody of the trace are the city's. */
  readonly siteFilters?: SiteFilters;
  readonly pace: Pace;
  /** Key of an administrator, who moves the clock: needed if the pace is driven. */
  readonly admin?: KeyFile;
  readonly faults: Faults;
  readonly actors?: Partial<ActorParameters>;
  /** By the wall clock: beyond so many acts in progress an intention is dropped. Range: at least 1. Keep it below what a gateway allows a participant. */
  readonly inFlightMax: number;
  /** By the wall clock: when the run ends, in ms of the trace, though intentions are open. Default: the trace's length. */
  readonly untilMs?: number;
  /** How long no call may succeed before the gateway counts as lost, in ms. Default 30,000. */
  readonly lostAfterMs?: number;
  /** Whether the couriers take back at the end what is still inside, for a minute at most. Default false. */
  readonly isLeftClean?: boolean;
  /** How many custody chains are verified at the end. Default 50. */
  readonly chainsMax?: number;
  /** By the wall clock: the others with whom this is one run, each with a share of the people and of the doors. Default: it is alone. */
  readonly group?: ProcessGroup;
  /** Receives everything that is observed, in order. */
  readonly observe: (observation: Observation) => void;
  /** Called before the first observation. @param began by the network's time and by this machine's, in ms since 1970 */
  readonly onBegin?: (began: { readonly beganAtMs: number; readonly beganOnMs: number }) => void;
  /** When aborted, the run ends in good order. */
  readonly signal: AbortSignal;
}
