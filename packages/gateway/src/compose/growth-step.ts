import { callerKey } from "../identity/index.ts";
import type { GrowthGuard } from "../store-watch/store-fill.ts";
import { type CallStep, callKey } from "../transport/index.ts";

/** Creates the step that refuses calls which would make a nearly full store grow. It waits for nothing. */
export function createGrowthStep(guard: Pick<GrowthGuard, "refuseCall">): CallStep {
  return {
    before({ contextValues }) {
      guard.refuseCall(contextValues.get(callKey)?.method ?? "", contextValues.get(callerKey)?.mode);
    },
  };
}
