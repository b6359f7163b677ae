import { randomUUID } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import { fromConnectError } from "@petak/protocol";
import { InvalidArgumentError, Option } from "commander";
import { CliFailure, toFailure } from "../failure.ts";
import type { Session } from "../session.ts";

/** The option with which a change is sent again after a call of which nobody knows whether it arrived. */
export function requestIdOption(): Option {
  return new Option(
    "--request-id <uuid>",
    "the change's own id; with the same id again, the gateway makes it only once and answers as before (default: a new one)",
  ).argParser((text) => {
    if (/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text)) return text;
    throw new InvalidArgumentError("write a UUID.");
  });
}

/** Codes of a call that may have been executed although no response came, or whose earlier attempt may have been. */
const unknownOutcome: ReadonlySet<Code> = new Set([Code.DeadlineExceeded, Code.Canceled, Code.Unavailable, Code.Aborted, Code.Unknown]);

/**
 * Makes a change with the given id or a new one. If nobody knows whether it was made, the failure names the id with which to send it again.
 *
 * @param times options of the change, which may have been relative: the failure names them as they were sent, since the same id takes the same change only
 */
export async function withRequestId<Response>(
  { url }: Pick<Session, "url">,
  { requestId = randomUUID() }: { requestId?: string },
  change: (requestId: string) => Promise<Response>,
  times: Readonly<Record<string, Date | undefined>> = {},
): Promise<Response> {
  try {
    return await change(requestId);
  } catch (error) {
    const isUnknown = error instanceof ConnectError && fromConnectError(error) === undefined && unknownOutcome.has(error.code);
    if (!isUnknown) throw error;
    const { message, exitCode, reason } = toFailure(error, url);
    const same = Object.entries(times).flatMap(([name, time]) => (time === undefined ? [] : [` --${name} ${time.toISOString()}`]));
    throw new CliFailure(`${message} Send the change again with --request-id ${requestId}${same.join("")}, so that it is not made twice.`, {
      exitCode,
      reason,
      metadata: { request_id: requestId },
      cause: error,
    });
  }
}
