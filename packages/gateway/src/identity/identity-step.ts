import { callKey } from "../transport/call/call.ts";
import type { CallStep } from "../transport/call/call-step.ts";
import type { Authenticator } from "./authenticator.ts";
import { callerKey } from "./caller-key.ts";

export interface IdentityStepOptions {
  authenticator: Pick<Authenticator, "authenticate">;
  /** Whether a call of a service, with the full name of its method, requires no credentials. */
  isOpen(service: { readonly typeName: string }, method: string): boolean;
}

/** The step that identifies callers. */
export type IdentityStep = Required<Pick<CallStep, "before">>;

/**
 * Creates the step that authenticates each request whose caller was not recalled, and stores the caller under {@link callerKey}. Throws the
 * authenticator's PetakError, which outer steps encode.
 */
export function createIdentityStep({ authenticator, isOpen }: IdentityStepOptions): IdentityStep {
  return {
    before({ service, contextValues }) {
      const { method = "", authorization, origin, source = "" } = contextValues.get(callKey) ?? {};
      if (isOpen(service, method) || contextValues.get(callerKey) !== undefined) return undefined;
      return authenticator
        .authenticate({ authorization, origin, source, method })
        .then((caller) => void contextValues.set(callerKey, caller));
    },
  };
}
