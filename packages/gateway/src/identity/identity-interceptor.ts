import type { Interceptor } from "@connectrpc/connect";
import { callKey } from "../rpc/context-keys.ts";
import type { Authenticator } from "./authenticator.ts";
import { callerKey } from "./caller-key.ts";

/** What the interceptor needs. */
export interface IdentityInterceptorOptions {
  authenticator: Authenticator;
  /** Full names of the services that need no credentials, e.g. `grpc.health.v1.Health`. Every other service needs them. */
  publicServices: ReadonlySet<string>;
}

/**
 * Makes an interceptor that finds out who makes each request and puts the caller under {@link callerKey}. Throws the authenticator's
 * PetakError; an interceptor further out turns it into what goes on the wire.
 */
export function createIdentityInterceptor(options: IdentityInterceptorOptions): Interceptor {
  const { authenticator, publicServices } = options;
  return (next) => async (request) => {
    if (!publicServices.has(request.service.typeName)) {
      const { authorization, origin } = request.contextValues.get(callKey) ?? {};
      const caller = authenticator.recall(authorization) ?? (await authenticator.authenticate({ authorization, origin }));
      request.contextValues.set(callerKey, caller);
    }
    return next(request);
  };
}
