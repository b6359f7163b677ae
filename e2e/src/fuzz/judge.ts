import { Code } from "@connectrpc/connect";
import { type CatalogueEntry, catalogue, errorDomain, type Reason } from "@petak/protocol";
import { onThisMachine } from "@petak/testkit";
import { readFailure } from "../wire/failure.ts";
import type { RawAnswer } from "../wire/raw-answer.ts";
import type { FuzzRequest } from "./fuzz-request.ts";

/** How much later than its deadline a response may arrive, in ms, when two cores are fully loaded. */
const slackMs = 8000;

/** Reasons that only a fault of the gateway or its store can have. No request may cause them. */
const never = new Set<string>(["INTERNAL", "STORE_UNAVAILABLE", "SHUTTING_DOWN", "OVERLOADED"]);

/** What is wrong with a response; undefined if nothing is. Counts its reason in `seen`. */
export function judge(request: FuzzRequest, answer: RawAnswer, seen: Map<string, number>): string | undefined {
  const note = (what: string): undefined => {
    seen.set(what, (seen.get(what) ?? 0) + 1);
  };
  const complain = (what: string): string =>
    `${what}\n  after ${request.what.trim()} (${request.verb} ${request.path.slice(0, 200)}, ${request.headers.map(([name, value]) => `${name}: ${value.slice(0, 100)}`).join(", ")}, body ${request.body.toString("base64").slice(0, 400)})\n` +
    `  came ${answer.status} ${JSON.stringify(answer.headers).slice(0, 300)} ${answer.body.toString("latin1").slice(0, 300)}`;
  const isSlow = answer.elapsedMs > request.dueMs + slackMs && answer.elapsedMs > onThisMachine(request.dueMs + slackMs);
  if (answer.end === "late" || isSlow) return complain(`late: ${Math.round(answer.elapsedMs)} ms`);
  if (answer.end === "left") return note("left");
  if (answer.end === "closed" && answer.status === 0) {
    return request.isBrokenHttp ? note("closed") : complain("closed without a response");
  }
  if (answer.status >= 200 && answer.status < 300 && answer.body.byteLength === 0 && answer.headers["content-type"] === undefined) {
    return note("no content");
  }
  let failure: ReturnType<typeof readFailure>;
  try {
    failure = readFailure(answer);
  } catch (error) {
    const isParsers = answer.status >= 400 && answer.status < 500;
    return request.isBrokenHttp && isParsers ? note(`HTTP ${answer.status}`) : complain(`unreadable: ${error}`);
  }
  if (failure === undefined) return note("accepted");
  const { reason = "", code, domain } = failure;
  if (!Object.hasOwn(catalogue, reason) || domain !== errorDomain) return complain(`unknown reason: ${reason}`);
  if (never.has(reason)) return complain(`${reason}: ${failure.message}`);
  const entry: CatalogueEntry = catalogue[reason as Reason];
  // Health checking has its own code for an unknown service.
  const isUnknownService = reason === "METHOD_NOT_FOUND" && code === Code.NotFound && request.path.startsWith("/grpc.health.v1.Health/");
  if (code !== entry.code && !isUnknownService) return complain(`${reason} with code ${Code[code]}`);
  return note(reason);
}
