import { Code, ConnectError } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { catalogue, PetakError, reasonOf, toConnectError } from "@petak/protocol";
import type { Logger } from "../../observability/logger.ts";
import type { Call } from "../call/call.ts";
import { type AdapterErrorContext, deadlineExceeded, fromAdapterError } from "./adapter-error.ts";
import { boundedError } from "./bounded-error.ts";

/** What is known of the call that failed. */
export interface WireErrorContext extends AdapterErrorContext {
  /** The call; its outcome is set. */
  call: Call | undefined;
  /** Logs defects, with their stack. */
  logger: Logger;
  /** The signal of the call: its reason says why a handler was interrupted. */
  signal?: AbortSignal;
}

/** Converts anything that a handler or an interceptor threw into an error with a reason from the catalogue. Logs defects. */
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

/** Converts an error into the form that is sent to the caller, and sets the call's outcome. */
export function wireError(error: PetakError, call: Call | undefined): ConnectError {
  if (call !== undefined) call.outcome ??= { code: codeToString(catalogue[error.reason].code), reason: error.reason };
  return toConnectError(boundedError(error));
}

/** Converts the reason of an aborted signal into an error of the catalogue. */
export function interruption(reason: unknown, timeoutMs: number | undefined): PetakError {
  if (reason instanceof PetakError) return reason;
  const code = reason instanceof ConnectError ? reason.code : Code.Canceled;
  if (code === Code.DeadlineExceeded) return deadlineExceeded(timeoutMs, reason);
  if (code === Code.Unavailable) return shuttingDown();
  return new PetakError("CANCELED", "The caller cancelled the call before the response was ready.", { cause: reason });
}

/** Returns SHUTTING_DOWN. A restart takes about a second; another gateway can be asked sooner. */
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

/** Returns whether an error was caused by the signal's abort and not by a defect. */
export function isInterruption(thrown: unknown, signal: AbortSignal): boolean {
  if (thrown === signal.reason) return true;
  if (thrown instanceof ConnectError) return thrown.code === Code.Canceled || thrown.code === Code.DeadlineExceeded;
  return thrown instanceof Error && (thrown.name === "AbortError" || thrown.name === "TimeoutError");
}

/** Returns whether the RPC library raised an error itself. Any other ConnectError without a reason is a defect of the handler. */
function isAdapterError({ code, rawMessage }: ConnectError): boolean {
  return (
    code === Code.Unimplemented || code === Code.DeadlineExceeded || code === Code.Canceled || rawMessage.startsWith("protocol error:")
  );
}
