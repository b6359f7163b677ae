import { callKey } from "../transport/call/call.ts";
import type { CallStep } from "../transport/call/call-step.ts";
import type { Authenticator } from "./authenticator.ts";
import { callerKey } from "./caller-key.ts";

/** What the step needs. */
export interface IdentityStepOptions {
  authenticator: Authenticator;
  /** Full names of the services that need no credentials, e.g. `grpc.health.v1.Health`. Every other service needs them. */
  publicServices: ReadonlySet<string>;
}

/**
 * Makes the step that finds out who makes each request and puts the caller under {@link callerKey}. Throws the authenticator's PetakError;
 * whoever is further out turns it into what goes on the wire. It waits only where the credentials were not seen before.
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
