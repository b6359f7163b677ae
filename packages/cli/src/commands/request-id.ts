import { randomUUID } from "node:crypto";
import { InvalidArgumentError, Option } from "commander";

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

/** The id of a change: the given one, or a new one. */
export function requestIdOf({ requestId = randomUUID() }: { requestId?: string }): string {
  return requestId;
}
