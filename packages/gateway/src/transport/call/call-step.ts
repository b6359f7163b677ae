import type { DescMethod, Message } from "@bufbuild/protobuf";
import type { ContextValues } from "@connectrpc/connect";

/** What a step knows of a call. */
export interface SteppedCall {
  readonly service: { readonly typeName: string };
  readonly contextValues: ContextValues;
}

/** A unary call whose message is valid. */
export interface ValidatedCall extends SteppedCall {
  readonly method: DescMethod;
  readonly message: Message;
  /**
   * The bytes of the request as sent: decompressed, without an envelope. The unary fast path always has them; the stock adapter keeps them for methods of
   * which calls may need a proof.
   */
  readonly messageBytes: Uint8Array | undefined;
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

/**
 * The last check of every unary call, after its validation and before its handler, on both paths. Throws, or rejects, to refuse the call. Returns a promise only
 * if it has to wait. The steps translate its errors.
 */
export type CheckValidated = (call: ValidatedCall) => Promise<void> | void;
