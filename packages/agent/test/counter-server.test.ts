import { randomUUID, X509Certificate } from "node:crypto";
import { request } from "node:http";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { CounterService } from "@petak/protocol/counter";
import { describe, expect, it, onTestFinished } from "vitest";
import { makeStoreCertificate } from "../src/counter/certificate.ts";
import { startCounterServer } from "../src/counter/index.ts";
import { startStore, type TestStore, tabletId } from "./store.ts";

/** Serves a store's counter, and makes a tablet that keeps the cookie of its session. */
async function serve(store: TestStore, ca?: string) {
  const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const server = await startCounterServer({ counter: store.counter, host: "127.0.0.1", port: 0, logger, ca });
  onTestFinished(() => server.stop());
  let cookie = "";
  const transport = createConnectTransport({
    baseUrl: server.url,
    httpVersion: "1.1",
    interceptors: [
      (next) => async (call) => {
        if (cookie !== "") call.header.set("cookie", cookie.split(";")[0] ?? "");
        const response = await next(call);
        cookie = response.header.get("set-cookie") ?? cookie;
        return response;
      },
    ],
  });
  return { url: server.url, tablet: createClient(CounterService, transport), cookie: () => cookie };
}

/** The status of a request as a browser might make it. */
function statusOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(`${url}/`, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
}

describe("the server of a counter", () => {
  it("shows a locked screen to anybody, and the counter to a clerk with a PIN", async () => {
    const store = await startStore();
    const { clerk, pin } = await store.clerks.add("Mai", true);
    const { tablet, cookie } = await serve(store);
    expect((await tablet.getCounter({ tabletId })).counter).toMatchObject({
      clerks: [{ clerkId: clerk.clerkId, name: "Mai" }],
    });
    await expect(tablet.listParcels({})).rejects.toThrow("nobody is signed in");
    expect((await tablet.signIn({ tabletId, clerkId: clerk.clerkId, pin })).counter?.clerk?.name).toBe("Mai");
    expect(cookie()).toMatch(/^petak_counter=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/; Max-Age=43200$/);
    expect(await tablet.listParcels({})).toMatchObject({ unchanged: false, parcels: [] });
    expect((await tablet.getCounter({ tabletId })).counter?.clerk?.name).toBe("Mai");
    expect((await tablet.getCounter({ tabletId: randomUUID() })).counter?.clerk).toBeUndefined();
    for await (const { counter } of tablet.watchCounter({ tabletId })) {
      expect(counter?.link?.isOnline).toBe(true);
      break;
    }
    await tablet.signOut({});
    await expect(tablet.listParcels({})).rejects.toThrow("nobody is signed in");
  });

  it("helps to install its certificate, with the hash to compare", async () => {
    const { authority } = makeStoreCertificate(["localhost"], Date.now());
    const { url } = await serve(await startStore(), authority.cert);
    const page = await (await fetch(`${url}/certificate`)).text();
    expect(page).toContain(new X509Certificate(authority.cert).fingerprint256.replaceAll(":", " "));
    expect(page).not.toContain("<script");
    expect(await (await fetch(`${url}/ca.crt`)).text()).toBe(authority.cert);
    const { url: withoutOne } = await serve(await startStore());
    expect(await (await fetch(`${withoutOne}/certificate`)).text()).toContain("petak agent certificate");
    expect((await fetch(`${withoutOne}/ca.crt`)).status).toBe(404);
  });

  it("locks a clerk out after five wrong PINs, on every tablet, and not the others", async () => {
    const store = await startStore();
    const { clerk, pin } = await store.clerks.add("Mai", false);
    const other = await store.clerks.add("Dara", false);
    const wrong = pin === "000000" ? "000001" : "000000";
    const { sessions } = store.counter;
    for (let times = 1; times <= 5; times++) {
      const { ok, ...rest } = await sessions.signIn(randomUUID(), clerk.clerkId, wrong);
      expect(ok).toBe(false);
      expect(rest).toEqual({ tryAgainAtMs: times < 5 ? undefined : store.timers.now() + 30_000 });
    }
    expect(await sessions.signIn(tabletId, clerk.clerkId, pin)).toMatchObject({ ok: false });
    expect(await sessions.signIn(tabletId, other.clerk.clerkId, other.pin)).toMatchObject({ ok: true });
    store.timers.advance(30_000);
    expect(await sessions.signIn(tabletId, clerk.clerkId, pin)).toMatchObject({ ok: true });
  });

  it("ends the sessions of a clerk who was removed", async () => {
    const { clerks, counter } = await startStore();
    const { clerk, pin } = await clerks.add("Mai", false);
    const signedIn = await counter.sessions.signIn(tabletId, clerk.clerkId, pin);
    const token = signedIn.ok ? signedIn.token : "";
    expect(counter.sessions.of(token)).toBeDefined();
    await clerks.remove(clerk.clerkId);
    expect(counter.sessions.of(token)).toBeUndefined();
    expect((await clerks.add("Dara", false)).clerk.clerkId).toBe("clerk-2");
  });

  it("ends the sessions of a clerk with a new PIN on all tablets, and nobody else's", async () => {
    const { clerks, counter } = await startStore();
    const [mai, dara] = [await clerks.add("Mai", false), await clerks.add("Dara", true)];
    const signIn = async ({ clerk, pin }: typeof mai) => {
      const signedIn = await counter.sessions.signIn(randomUUID(), clerk.clerkId, pin);
      return signedIn.ok ? signedIn.token : "";
    };
    const [first, second, others] = [await signIn(mai), await signIn(mai), await signIn(dara)];
    const renewed = await clerks.renew(mai.clerk.clerkId);
    expect([first, second, others].map((token) => counter.sessions.of(token)?.clerk.name)).toEqual([undefined, undefined, "Dara"]);
    expect(counter.sessions.of(await signIn(renewed))?.clerk.name).toBe("Mai");
  });

  it("answers no page of another origin, and nobody who calls it by a name that is not its own", async () => {
    const { url } = await serve(await startStore());
    const { host } = new URL(url);
    expect(await statusOf(url, {})).toBe(200);
    expect(await statusOf(url, { host: "localhost" })).toBe(200);
    expect(await statusOf(url, { host: "thief.example" })).toBe(421);
    expect(await statusOf(url, { host, origin: "https://thief.example" })).toBe(403);
    expect(await statusOf(url, { host, origin: "null" })).toBe(403);
    expect(await statusOf(url, { host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" })).toBe(403);
    expect(await statusOf(url, { host, origin: url })).toBe(200);
  });

  it("refuses what is not in the form of a request", async () => {
    const { tablet } = await serve(await startStore());
    await expect(tablet.getCounter({ tabletId: "no id" })).rejects.toThrow("tablet_id");
  });
});
