import type { LeanCall } from "../lean-call.ts";
import type { LeanPlan, PlanCall } from "../lean-plan.ts";
import type { LeanTransport } from "../lean-transport.ts";
import type { RequestHead } from "../request-head.ts";

/** The plain calls as the lane makes them. */
export interface LaneCalls {
  readonly plan: PlanCall;
  /** Makes a call whose head came at `startedMs`, as `performance.now()` counts. It does nothing until it is given its body. */
  begin(plan: LeanPlan, head: RequestHead, transport: LeanTransport, startedMs: number): LeanCall;
}
