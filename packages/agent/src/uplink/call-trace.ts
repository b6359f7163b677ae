import { randomBytes } from "node:crypto";
import type { DeviceEvent } from "@petak/protocol";

/** The trace that a call to the gateway begins, by W3C Trace Context. */
export interface CallTrace {
  /** For the agent's log: 32 hexadecimal digits. */
  readonly traceId: string;
  /** Without the sampled flag: the agent records nothing, and the gateway decides. */
  readonly headers: { readonly traceparent: string };
}

/**
 * The trace of a call with reports: its id is that of the first report's `deviceEventId` without hyphens, so that it stays the same when the report is sent again,
 * also after a restart.
 */
export function traceOfReports([first]: readonly Pick<DeviceEvent, "deviceEventId">[]): CallTrace {
  const id = first?.deviceEventId.replaceAll("-", "") ?? "";
  return /^(?!0{32})[0-9a-f]{32}$/.test(id) ? callTrace(id) : newTrace();
}

/** The trace of a call without reports. */
export function newTrace(): CallTrace {
  return callTrace(randomBytes(16).toString("hex"));
}

function callTrace(traceId: string): CallTrace {
  return { traceId, headers: { traceparent: `00-${traceId}-${randomBytes(8).toString("hex")}-00` } };
}
