import type { ContextValues } from "@connectrpc/connect";

/** What a step knows of a call. */
export interface SteppedCall {
  readonly service: { readonly typeName: string };
  readonly contextValues: ContextValues;
}

/**
 * One step of every call between its deadline and its validation. The stock adapter runs it as an interceptor, the unary fast path calls it
 * directly, so both behave alike and the fast path awaits nothing that is available at once.
 */
export interface CallStep {
  /** Runs before the inner steps and the handler. Throws, or rejects, to refuse the call. Returns a promise only if it has to wait. */
  before?(call: SteppedCall): Promise<void> | void;
  /** Replaces an error that the inner steps or the handler threw. */
  translate?(thrown: unknown): unknown;
}
