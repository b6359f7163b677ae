import type { Interceptor } from "@connectrpc/connect";
import { isStoreFailure } from "@petak/allocator";
import { PetakError } from "@petak/protocol";
import { mapErrors } from "./streams.ts";

/** Time after which it is worth asking again: a server that was restarted is back by then. */
const retryAfterMs = 1000;

/** Says STORE_UNAVAILABLE where Redis cannot be reached or does not work. */
export function createStoreFailureInterceptor(): Interceptor {
  return (next) => async (request) => {
    try {
      const response = await next(request);
      return response.stream ? { ...response, message: mapErrors(response.message, translate) } : response;
    } catch (error) {
      throw translate(error);
    }
  };
}

function translate(error: unknown): unknown {
  if (!isStoreFailure(error)) return error;
  return new PetakError("STORE_UNAVAILABLE", "the gateway cannot reach its records now", { retryAfterMs, cause: error });
}
