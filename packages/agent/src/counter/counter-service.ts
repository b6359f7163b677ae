import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { CounterService } from "@petak/protocol/counter";
import type { Counter } from "./counter.ts";
import { NotWrittenError } from "./entry.ts";
import { leaseMs } from "./leases.ts";
import { type Session, sessionMs } from "./sessions.ts";

/** The cookie of a session. */
export const cookieName = "petak_counter";

/** How often a counter is streamed when nothing has changed, in ms. */
const heartbeatMs = 10_000;

/** Serves a counter to its tablets. @param isSecure whether it is served over HTTPS, so that the session's cookie is never sent without */
export function serveCounter(router: ConnectRouter, counter: Counter, isSecure: boolean): void {
  const { sessions } = counter;

  function sessionOn(context: HandlerContext, tabletId: string | undefined): Session | undefined {
    const session = sessions.of(tokenIn(context));
    return tabletId === undefined || session?.tabletId === tabletId ? session : undefined;
  }

  function requireSession(context: HandlerContext, tabletId?: string): Session {
    const session = sessionOn(context, tabletId);
    if (session === undefined) throw new ConnectError("nobody is signed in on this tablet", Code.Unauthenticated);
    return session;
  }

  function setCookie(context: HandlerContext, token: string, maxAgeS: number): void {
    const secure = isSecure ? "; Secure" : "";
    context.responseHeader.append("set-cookie", `${cookieName}=${token}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${maxAgeS}${secure}`);
  }

  router.service(CounterService, {
    getCounter: ({ tabletId }, context) => ({ counter: counter.view(sessionOn(context, tabletId)) }),
    async signIn({ tabletId, clerkId, pin }, context) {
      const signedIn = await sessions.signIn(tabletId, clerkId, pin);
      if (!signedIn.ok) return signedIn.tryAgainAtMs === undefined ? {} : { tryAgainAt: timestampFromMs(signedIn.tryAgainAtMs) };
      const before = tokenIn(context);
      if (before !== "") sessions.signOut(before);
      setCookie(context, signedIn.token, sessionMs / 1000);
      return { counter: counter.view({ clerk: signedIn.clerk, tabletId }) };
    },
    signOut(_, context) {
      sessions.signOut(tokenIn(context));
      setCookie(context, "", 0);
      return {};
    },
    async *watchCounter({ tabletId }, context) {
      for (;;) {
        const changed = nextChange(counter, context.signal);
        // It ends with the session.
        yield { counter: counter.view(requireSession(context, tabletId)) };
        await changed;
        if (context.signal.aborted) return;
      }
    },
    listParcels({ knownVersion }, context) {
      requireSession(context);
      const { version: parcelsVersion, parcels } = counter.parcels();
      return knownVersion === parcelsVersion ? { parcelsVersion, unchanged: true } : { parcelsVersion, parcels: [...parcels] };
    },
    takeLease({ tabletId, knownDigest }, context) {
      requireSession(context, tabletId);
      const given = counter.leases.take(tabletId);
      if (given === undefined) return {};
      const { now } = counter.view(undefined);
      const isKnown = given.material.digest === knownDigest;
      return { lease: given.lease, lasts: durationFromMs(leaseMs), ...(now && { now }), ...(!isKnown && { material: given.material }) };
    },
    returnLease({ tabletId, number }, context) {
      requireSession(context, tabletId);
      counter.leases.giveBack(tabletId, Number(number));
      return {};
    },
    putPhoto({ photoId, jpeg }, context) {
      requireSession(context);
      if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8 || jpeg[2] !== 0xff) throw new ConnectError("the photo is no JPEG", Code.InvalidArgument);
      const keptUntilMs = counter.putPhoto(photoId, jpeg);
      if (keptUntilMs === undefined) throw new ConnectError("the store keeps too many photos already", Code.ResourceExhausted);
      return { keptUntil: timestampFromMs(keptUntilMs) };
    },
    getPhoto({ photoId }, context) {
      requireSession(context);
      const jpeg = counter.photo(photoId);
      return jpeg === undefined ? {} : { jpeg: new Uint8Array(jpeg) };
    },
    async submit({ tabletId, entries }, context) {
      try {
        return { results: await counter.submit(requireSession(context, tabletId), entries) };
      } catch (error) {
        throw error instanceof NotWrittenError ? new ConnectError(error.message, Code.Unavailable) : error;
      }
    },
  });
}

/** Resolves at the next change, after the heartbeat, or when the caller has gone. */
async function nextChange(counter: Counter, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, heartbeatMs);
    const stop = counter.onChange(done);
    signal.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      stop();
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}

function tokenIn({ requestHeader }: HandlerContext): string {
  const cookies = (requestHeader.get("cookie") ?? "").split(";").map((pair) => pair.trim().split("="));
  return cookies.find(([name]) => name === cookieName)?.[1] ?? "";
}
