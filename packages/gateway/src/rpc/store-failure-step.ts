import { isCommandTimeout, isStoreFailure } from "@petak/allocator";
import { PetakError } from "@petak/protocol";
import type { CallStep } from "./call-step.ts";

/** Time after which it is worth asking again: a server that was restarted is back by then. */
const retryAfterMs = 1000;

/**
 * Says STORE_UNAVAILABLE where Redis cannot be reached or does not work.
 *
 * @param onTimeout Called when a command got no answer in time. Dropping the connection then makes the next calls fail at once, where they
 * would wait in turn behind a server that hangs.
 */
export function createStoreFailureStep(onTimeout: () => void): CallStep {
  return {
    translate(thrown) {
      if (!isStoreFailure(thrown)) return thrown;
      if (isCommandTimeout(thrown)) onTimeout();
      return new PetakError("STORE_UNAVAILABLE", "the gateway cannot reach its records now", { retryAfterMs, cause: thrown });
    },
  };
}
