import { once } from "node:events";

/** Resolves when a signal aborts. */
export async function untilAborted(signal: AbortSignal): Promise<"aborted"> {
  if (!signal.aborted) await once(signal, "abort");
  return "aborted";
}
