import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { hostname } from "node:os";

/** Why a request is not answered, with its status. */
export interface Turned {
  readonly status: 403 | 421 | 429;
  readonly reason: string;
}

/** Calls that an address may make in a window, and its length in ms. */
const callsMax = 400;
const windowMs = 10_000;

/**
 * Judges requests before anything reads them. A page of another origin can neither name the counter by a name of its own (DNS rebinding), since only addresses and
 * the device's names are answered, nor call it in a clerk's name, since browsers say where a call comes from.
 *
 * @param names the names of the device, beside its addresses, `localhost` and its host name
 * @param nowMs a clock that only goes on
 */
export function createRequestGuard({ scheme, names, nowMs }: { scheme: "http" | "https"; names: readonly string[]; nowMs: () => number }) {
  const known = new Set(["localhost", hostname(), `${hostname()}.local`, ...names].map((name) => name.toLowerCase()));
  let windowEndsMs = 0;
  const calls = new Map<string, number>();

  function isTooMany(address: string): boolean {
    if (nowMs() >= windowEndsMs) {
      calls.clear();
      windowEndsMs = nowMs() + windowMs;
    }
    const count = (calls.get(address) ?? 0) + 1;
    calls.set(address, count);
    return count > callsMax;
  }

  return (request: IncomingMessage): Turned | undefined => {
    if (isTooMany(request.socket.remoteAddress ?? "")) return { status: 429, reason: "too many requests" };
    const { host = "", origin } = request.headers;
    const url = URL.canParse(`${scheme}://${host}`) ? new URL(`${scheme}://${host}`) : undefined;
    const name = url?.hostname.replace(/^\[|\]$/g, "") ?? "";
    if (url === undefined || (isIP(name) === 0 && !known.has(name))) return { status: 421, reason: "the device has another name" };
    if (origin !== undefined && origin !== url.origin) return { status: 403, reason: "another origin" };
    const site = request.headers["sec-fetch-site"];
    const isForeign = site !== undefined && site !== "same-origin" && site !== "none";
    // A link to the app from elsewhere may be followed; it shows nothing of a session, whose cookie is not sent with it.
    const isNavigation = request.method === "GET" && request.headers["sec-fetch-mode"] === "navigate";
    return isForeign && !isNavigation ? { status: 403, reason: "another site" } : undefined;
  };
}
