import { callKey } from "../transport/call/call.ts";
import type { CallStep } from "../transport/call/call-step.ts";
import type { Authenticator } from "./authenticator.ts";
import { callerKey } from "./caller-key.ts";

export interface IdentityStepOptions {
  authenticator: Authenticator;
  /** Full names of the services that require no credentials, e.g. `grpc.health.v1.Health`. */
  publicServices: ReadonlySet<string>;
}

/**
 * Creates the step that authenticates each request and stores the caller under {@link callerKey}. Throws the authenticator's PetakError, which outer steps
 * encode. Runs synchronously if the credentials are cached.
 */
export function createIdentityStep({ authenticator, publicServices }: IdentityStepOptions): CallStep {
  return {
    before({ service, contextValues }) {
      if (publicServices.has(service.typeName)) return undefined;
      const { authorization, origin } = contextValues.get(callKey) ?? {};
      const recalled = authenticator.recall(authorization);
      if (recalled !== undefined) return void contextValues.set(callerKey, recalled);
      return authenticator.authenticate({ authorization, origin }).then((caller) => void contextValues.set(callerKey, caller));
    },
  };
}
