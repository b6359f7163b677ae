import type { CallerAccounts } from "../transport/index.ts";
import type { Authenticator } from "./authenticator.ts";
import type { Caller } from "./caller.ts";
import { callerKey } from "./caller-key.ts";
import type { IdentityStep } from "./identity-step.ts";

/** Tells whom calls are counted for: the caller in their values, see {@link accountNameOf}. */
export function createCallerAccounts(authenticator: Pick<Authenticator, "recall">, { before: identify }: IdentityStep): CallerAccounts {
  return {
    identify,
    recall(authorization, values) {
      const caller = authenticator.recall(authorization);
      if (caller === undefined) return undefined;
      values.set(callerKey, caller);
      return accountNameOf(caller);
    },
    accountOf(values) {
      const caller = values.get(callerKey);
      return caller && accountNameOf(caller);
    },
  };
}

/**
 * The account of a caller: of its participant, whichever key it signs with. Agents count for their operators. Pages count apart from the servers of
 * their participant, since whoever reads a page can use its publishable key, but all pages of a participant together, since it can make many keys.
 */
function accountNameOf(caller: Caller): string {
  return caller.kind === "publishable" ? `${caller.participantId}/pages` : caller.participantId;
}
