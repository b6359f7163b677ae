import { PetakError, Role } from "@petak/protocol";
import type { Authenticator } from "./authenticator.ts";
import type { Caller } from "./caller.ts";

/** Errors of tokens that may be valid by another clock. */
const clockReasons: ReadonlySet<string> = new Set(["TOKEN_EXPIRED", "TOKEN_NOT_YET_VALID", "TOKEN_REPLAYED_AFTER_EXPIRY"]);

/**
 * Authenticates the callers of a gateway with a test clock. A request token must be valid by the test clock or by the system's clock, so that callers that
 * do not follow the test clock can make calls too. Live keys are refused, except those of participants with no other role than ADMIN: nothing in the live
 * network may depend on a clock that is moved by hand.
 *
 * @param byTestClock authenticates by the test clock
 * @param bySystemClock authenticates by the system's clock
 */
export function testNetworkAuthenticator(byTestClock: Authenticator, bySystemClock: Authenticator): Authenticator {
  return {
    recall(authorization) {
      const caller = byTestClock.recall(authorization) ?? bySystemClock.recall(authorization);
      return caller !== undefined && mayCall(caller) ? caller : undefined;
    },
    async authenticate(credentials) {
      const caller = await byTestClock.authenticate(credentials).catch((error: unknown) => {
        if (error instanceof PetakError && clockReasons.has(error.reason)) return bySystemClock.authenticate(credentials);
        throw error;
      });
      if (mayCall(caller)) return caller;
      throw new PetakError("MODE_MISMATCH", "this gateway has a test clock and serves the test network only; use a test key");
    },
    recheck: byTestClock.recheck,
  };
}

function mayCall(caller: Caller): boolean {
  return caller.mode === "test" || (caller.kind === "participant" && caller.roles.every((role) => role === Role.ADMIN));
}
