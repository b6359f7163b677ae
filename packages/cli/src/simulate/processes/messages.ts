import type { KeyFile } from "@petak/client/node";
import type { CityRun, RunEnded, Stamped, VisitMade, VisitOrder } from "@petak/simulator";

/** What a process is to run: a share of a trace. */
export interface Order {
  readonly kind: "prepare";
  readonly tracePath: string;
  /** Which member of the process group it is, from 0, of how many. */
  readonly member: number;
  readonly members: number;
  readonly operators: readonly KeyFile[];
  readonly run: Pick<CityRun, "gateway" | "couriers" | "siteFilters" | "pace" | "faults" | "isLeftClean" | "inFlightMax">;
}

/** Word between two processes about a visit, which the first process hands on. @see ProcessGroup */
export type VisitMessage =
  | { readonly kind: "visit"; readonly from: number; readonly to: number; readonly number: number; readonly order: VisitOrder }
  | { readonly kind: "visited"; readonly to: number; readonly number: number; readonly made: VisitMade | null };

/** What the processes are told. */
export type ToProcess = Order | VisitMessage | { readonly kind: "go" } | { readonly kind: "stop" } | { readonly kind: "met" };

/** What they tell. */
export type FromProcess =
  | VisitMessage
  /** It has come to where all members meet. */
  | { readonly kind: "meet" }
  | { readonly kind: "ready" }
  | { readonly kind: "began"; readonly beganAtMs: number; readonly beganOnMs: number; readonly stampMs: number }
  /** Everything that was observed before `untilMs` and not told yet: ms since 1970 by this machine's monotonic clock. */
  | { readonly kind: "observed"; readonly items: readonly Stamped[]; readonly untilMs: number }
  | { readonly kind: "ended"; readonly ended: RunEnded }
  | { readonly kind: "failed"; readonly message: string };
