import { randomBytes } from "node:crypto";
import type { DeviceEvent } from "@petak/protocol";

/** The trace that a call to the gateway begins, by W3C Trace Context. */
export interface CallTrace {
  /** For the agent's log: 32 hexadecimal digits. */
  readonly traceId: string;
  readonly headers: { readonly traceparent: string };
}

/**
 * The trace of a call with reports: its id is that of the first report's `deviceEventId` without hyphens, so that it stays the same when the report is sent again,
 * also after a restart. With the sampled flag, since without it the events that they cause would keep no trace.
 */
export function traceOfReports([first]: readonly Pick<DeviceEvent, "deviceEventId">[]): CallTrace {
  const id = first?.deviceEventId.replaceAll("-", "") ?? "";
  return callTrace(/^(?!0{32})[0-9a-f]{32}$/.test(id) ? id : randomBytes(16).toString("hex"), "01");
}

/** The trace of a Sync call: without the sampled flag, since each agent makes one every few seconds, and nearly all bring nothing. */
export function traceOfSync(): CallTrace {
  return callTrace(randomBytes(16).toString("hex"), "00");
}

function callTrace(traceId: string, flags: string): CallTrace {
  return { traceId, headers: { traceparent: `00-${traceId}-${randomBytes(8).toString("hex")}-${flags}` } };
}
