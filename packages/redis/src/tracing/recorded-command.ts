import { currentTrace } from "./call-trace.ts";

/** Sends a command, and records it if the current call's commands are recorded. @param script its name, "" if it is none */
export function recordedCommand<Reply>(operation: string, script: string, send: () => Promise<Reply>): Promise<Reply> {
  const record = currentTrace()?.recordCommand;
  if (record === undefined) return send();
  const startedMs = performance.now();
  const end = (error: unknown) => record({ operation, script, batchSize: 1, durationMs: performance.now() - startedMs, error });
  const sending = send();
  sending.then(() => end(undefined), end);
  return sending;
}
