import { PetakError } from "@petak/protocol";
import { rejectionReasonIn, storeFailureIn } from "../../store-watch/store-trouble.ts";
import type { CallStep } from "../call/call-step.ts";

/** The delay in the RetryInfo, in ms: a restarted server is back by then. */
const retryAfterMs = 1000;

/**
 * Creates the step that answers STORE_UNAVAILABLE if Redis cannot be reached or does not work, and STORE_FULL if its memory is full.
 *
 * @param onFailure is told of each failure, with the error of Redis or of its client.
 * @param storeFull makes the error for a write that was rejected because the memory is full.
 */
export function createStoreFailureStep(onFailure: (error: Error) => void, storeFull: (cause: unknown) => PetakError): CallStep {
  return {
    translate(thrown) {
      const failure = storeFailureIn(thrown);
      if (failure === undefined) return thrown;
      onFailure(failure);
      // The code that threw it has said what the caller needs to know.
      if (thrown instanceof PetakError) return thrown;
      // Not UNAVAILABLE: clients would send the call again until its deadline.
      if (rejectionReasonIn(failure) === "memory") return storeFull(thrown);
      return new PetakError("STORE_UNAVAILABLE", "the gateway cannot reach its store now", { retryAfterMs, cause: thrown });
    },
  };
}
