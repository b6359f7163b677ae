import { PetakError } from "@petak/protocol";
import { storeFailureIn } from "../../store-watch/store-trouble.ts";
import type { CallStep } from "../call/call-step.ts";

/** Time after which it is worth asking again: a server that was restarted is back by then. */
const retryAfterMs = 1000;

/**
 * Says STORE_UNAVAILABLE where Redis cannot be reached or does not work.
 *
 * @param onFailure Hears what Redis, or its client, said to that.
 */
export function createStoreFailureStep(onFailure: (error: Error) => void): CallStep {
  return {
    translate(thrown) {
      const failure = storeFailureIn(thrown);
      if (failure === undefined) return thrown;
      onFailure(failure);
      // Whoever looked something up on the way has said it already.
      if (failure !== thrown) return thrown;
      return new PetakError("STORE_UNAVAILABLE", "the gateway cannot reach its store now", { retryAfterMs, cause: thrown });
    },
  };
}
