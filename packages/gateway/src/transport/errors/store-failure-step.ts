import { PetakError } from "@petak/protocol";
import { storeFailureIn } from "../../store-watch/store-trouble.ts";
import type { CallStep } from "../call/call-step.ts";

/** The delay in the RetryInfo, in ms: a restarted server is back by then. */
const retryAfterMs = 1000;

/**
 * Creates the step that answers STORE_UNAVAILABLE if Redis cannot be reached or does not work.
 *
 * @param onFailure is told of each failure, with the error of Redis or of its client.
 */
export function createStoreFailureStep(onFailure: (error: Error) => void): CallStep {
  return {
    translate(thrown) {
      const failure = storeFailureIn(thrown);
      if (failure === undefined) return thrown;
      onFailure(failure);
      // An error that only wraps the failure was translated by the code that threw it.
      if (failure !== thrown) return thrown;
      return new PetakError("STORE_UNAVAILABLE", "the gateway cannot reach its store now", { retryAfterMs, cause: thrown });
    },
  };
}
