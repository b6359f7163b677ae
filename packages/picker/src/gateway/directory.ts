import type {
  CheckFitRequest,
  CheckFitResponse,
  FindNearestRequest,
  FindNearestResponse,
  GetSiteRequest,
  GetSiteResponse,
} from "@petak/protocol";
import type { JsonOf } from "./json-of.ts";
import { ProblemError } from "./problem.ts";
import { readFailure } from "./read-failure.ts";

/** The calls that a picker makes, with the requests and answers of each. */
interface Calls {
  FindNearest: [FindNearestRequest, FindNearestResponse];
  GetSite: [GetSiteRequest, GetSiteResponse];
  CheckFit: [CheckFitRequest, CheckFitResponse];
}

/** A gateway's directory, read by a publishable key. */
export interface Directory {
  /** Makes a call. @throws {ProblemError} if it fails; nothing if `signal` ends it, whose reason is then thrown */
  call<M extends keyof Calls>(method: M, request: JsonOf<Calls[M][0]>, signal: AbortSignal): Promise<JsonOf<Calls[M][1]>>;
}

/** How long a call may take, in ms. */
const patienceMs = 15_000;

/** @param gatewayUrl the gateway, or a path of the shop's own server that passes calls on; without a slash at its end */
export function createDirectory(gatewayUrl: string, publishableKey: string): Directory {
  return {
    async call(method, request, signal) {
      const timeout = AbortSignal.timeout(patienceMs);
      try {
        const response = await fetch(`${gatewayUrl}/petak.v1.DirectoryService/${method}`, {
          method: "POST",
          headers: { authorization: `Bearer ${publishableKey}`, "content-type": "application/json", "connect-protocol-version": "1" },
          body: JSON.stringify(request),
          credentials: "omit",
          signal: AbortSignal.any([signal, timeout]),
        });
        const body: unknown = await response.json().catch((error: unknown) => {
          if (!(error instanceof SyntaxError)) throw error;
        });
        if (response.ok && typeof body === "object" && body !== null) return body as never;
        throw new ProblemError(readFailure(response.status, body));
      } catch (error) {
        if (error instanceof ProblemError) throw error;
        signal.throwIfAborted();
        if (timeout.aborted) {
          const message = `${gatewayUrl} did not answer ${method} within ${patienceMs / 1000} s.`;
          throw new ProblemError({ reason: "GATEWAY_SLOW", message, isPassing: true }, { cause: error });
        }
        const message = `${gatewayUrl} could not be reached: it is down, or the page's policy does not name it in connect-src.`;
        throw new ProblemError({ reason: "GATEWAY_UNREACHABLE", message, isPassing: true }, { cause: error });
      }
    },
  };
}
