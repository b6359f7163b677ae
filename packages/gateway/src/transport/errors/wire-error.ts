import { Code, ConnectError } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { catalogue, PetakError, reasonOf, toConnectError } from "@petak/protocol";
import type { Logger } from "../../observability/logger.ts";
import type { Call } from "../call/call.ts";
import { type AdapterErrorContext, deadlineExceeded, fromAdapterError } from "./adapter-error.ts";
import { boundedError } from "./bounded-error.ts";

/** What must be known to turn anything thrown into an answer. */
export interface WireErrorContext extends AdapterErrorContext {
  /** The call that failed. Its outcome is set. */
  call: Call | undefined;
  /** Where defects are written, with their stack. */
  logger: Logger;
  /** The signal of the call, which says why a handler was interrupted. */
  signal?: AbortSignal;
}

/** Turns anything that a handler or an interceptor threw into an error with a reason of the catalogue. Defects are logged here. */
export function toWireError(thrown: unknown, context: WireErrorContext): ConnectError {
  const { call } = context;
  if (thrown instanceof ConnectError) {
    const reason = reasonOf(thrown);
    if (reason !== undefined) {
      if (call !== undefined) call.outcome ??= { code: codeToString(thrown.code), reason };
      return thrown;
    }
  }
  return wireError(domainError(thrown, context), call);
}

/** The error as it goes to the caller. The outcome of the call is set. */
export function wireError(error: PetakError, call: Call | undefined): ConnectError {
  if (call !== undefined) call.outcome ??= { code: codeToString(catalogue[error.reason].code), reason: error.reason };
  return toConnectError(boundedError(error));
}

/** Why a signal interrupted a call, in words of the catalogue. */
export function interruption(reason: unknown, timeoutMs: number | undefined): PetakError {
  if (reason instanceof PetakError) return reason;
  const code = reason instanceof ConnectError ? reason.code : Code.Canceled;
  if (code === Code.DeadlineExceeded) return deadlineExceeded(timeoutMs, reason);
  if (code === Code.Unavailable) return shuttingDown();
  return new PetakError("CANCELED", "The caller cancelled the call before the response was ready.", { cause: reason });
}

/** SHUTTING_DOWN. A restart takes about a second, and another gateway less. */
export function shuttingDown(): PetakError {
  return new PetakError("SHUTTING_DOWN", "The gateway is shutting down. Send the same request again.", { retryAfterMs: 1000 });
}

function domainError(thrown: unknown, context: WireErrorContext): PetakError {
  if (thrown instanceof PetakError) return thrown;
  const { signal, call, logger } = context;
  if (signal?.aborted === true && isInterruption(thrown, signal)) return interruption(signal.reason, call?.timeoutMs);
  if (thrown instanceof ConnectError && isAdapterError(thrown)) return fromAdapterError(thrown, context);
  const requestId = call?.requestId ?? "";
  logger.error({ err: thrown, request_id: requestId, method: call?.method }, "defect");
  return new PetakError("INTERNAL", `The gateway has a defect. Report it with the request id ${requestId}.`, {
    metadata: { request_id: requestId },
    cause: thrown,
  });
}

/** Whether what was thrown comes from the signal and not from anything that went wrong. */
export function isInterruption(thrown: unknown, signal: AbortSignal): boolean {
  if (thrown === signal.reason) return true;
  if (thrown instanceof ConnectError) return thrown.code === Code.Canceled || thrown.code === Code.DeadlineExceeded;
  return thrown instanceof Error && (thrown.name === "AbortError" || thrown.name === "TimeoutError");
}

/** Only what the library itself raises around a handler. Another ConnectError without a reason is a defect of the handler. */
function isAdapterError({ code, rawMessage }: ConnectError): boolean {
  return (
    code === Code.Unimplemented || code === Code.DeadlineExceeded || code === Code.Canceled || rawMessage.startsWith("protocol error:")
  );
}
