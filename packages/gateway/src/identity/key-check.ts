import type { CheckValidated } from "../transport/call/call-step.ts";
import type { Authenticator } from "./authenticator.ts";
import { callerKey } from "./caller-key.ts";

/**
 * Creates the check that refuses a call whose key was revoked since its headers arrived, when its caller was recognized: its body may take as long as its
 * deadline, and so may its turn. It costs one look-up in memory. Pages are known after their bodies have arrived.
 *
 * @param next the check that follows
 */
export function createKeyCheck({ recheck }: Pick<Authenticator, "recheck">, next: CheckValidated): CheckValidated {
  return (call) => {
    const caller = call.contextValues.get(callerKey);
    const checking = caller === undefined || caller.kind === "publishable" ? undefined : recheck(caller);
    return checking === undefined ? next(call) : checking.then(() => next(call));
  };
}
