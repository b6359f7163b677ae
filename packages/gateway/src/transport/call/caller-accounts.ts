import type { ContextValues } from "@connectrpc/connect";
import type { SteppedCall } from "./call-step.ts";

/** Tells whom a call is counted for. */
export interface CallerAccounts {
  /**
   * Recognizes a caller whose token was verified before, puts it into the call's values and returns its account. Undefined if the token has yet to be
   * verified. It costs no cryptography and no look-up in the store.
   */
  recall(authorization: string | undefined, values: ContextValues): string | undefined;
  /** Finds out who the caller is and puts it into the call's values, before anything of its body is read. Rejects if it is nobody who may call. */
  identify(call: SteppedCall): Promise<void> | void;
  /** Returns the account of the caller in a call's values. Undefined if the call needs no caller. */
  accountOf(values: ContextValues): string | undefined;
}

/** The accounts where nobody is identified: all calls count for their addresses. */
export const noCallerAccounts: CallerAccounts = {
  recall: () => undefined,
  identify: () => undefined,
  accountOf: () => undefined,
};
