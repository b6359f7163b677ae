import type { Interceptor } from "@connectrpc/connect";
import { isStoreFailure } from "@petak/allocator";
import { PetakError } from "@petak/protocol";
import { mapErrors } from "./streams.ts";

/** Time after which it is worth asking again: a server that was restarted is back by then. */
const retryAfterMs = 1000;

/**
 * Says STORE_UNAVAILABLE where Redis cannot be reached or does not work.
 *
 * @param onTimeout Called when a command got no answer in time. Dropping the connection then makes the next calls fail at once, where they
 * would wait in turn behind a server that hangs.
 */
export function createStoreFailureInterceptor(onTimeout: () => void): Interceptor {
  function translate(error: unknown): unknown {
    if (!isStoreFailure(error)) return error;
    if (error instanceof Error && error.message === "Command timed out") onTimeout();
    return new PetakError("STORE_UNAVAILABLE", "the gateway cannot reach its records now", { retryAfterMs, cause: error });
  }

  return (next) => async (request) => {
    try {
      const response = await next(request);
      return response.stream ? { ...response, message: mapErrors(response.message, translate) } : response;
    } catch (error) {
      throw translate(error);
    }
  };
}
