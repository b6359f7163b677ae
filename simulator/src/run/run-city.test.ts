import { once } from "node:events";
import { createServer, request } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { testCertificate, testKey, testSeed, useRedis } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import type { IntentionEnded, Observation } from "../observe/observation.ts";
import { judge } from "../oracle/testing/stream.ts";
import type { Intention } from "../trace/intention.ts";
import { countBy, drawTown, headerOf, hourMs, intentionOf, runTiny, startTinyCity } from "./testing/tiny-city.ts";

const redis = useRedis();

/** Everything within a day, so that a run is short. */
const soon = {
  deliverAfterMs: [hourMs, 6 * hourMs],
  bringAfterMs: [600_000, 4 * hourMs],
  pickUpAfterMs: [hourMs, 4 * hourMs],
  stayMedianMs: 2 * hourMs,
  stayP90Ms: 5 * hourMs,
  noShowShare: 0,
} as const;

const endsById = (ends: readonly IntentionEnded[]) => Object.fromEntries(ends.map(({ intention, end }) => [intention, end]));

describe("a run on the driven clock", () => {
  it("comes to the same ends with the same trace", async () => {
    const trace = drawTown(testSeed(), 100, 4, soon);
    const run = async (name: string) => {
      const city = await startTinyCity(redis, { sites: 3, places: 40, keyPrefix: `${redis.keyPrefix}${name}` });
      const { ends } = await runTiny(city, trace, { pace: { clock: "driven", stepMs: 300_000 } });
      await city.network.stop();
      return endsById(ends);
    };
    const first = await run("first");
    expect(Object.keys(first).length).toBeGreaterThan(0);
    expect(await run("second")).toEqual(first);
  });

  it("ends in good order when it is interrupted", async () => {
    const city = await startTinyCity(redis, { sites: 3, places: 40 });
    const controller = new AbortController();
    const intentions = Array.from({ length: 9 }, (_, index) => intentionOf(index + 1, index * 60_000, { stayMs: 20 * hourMs }));
    const observe = (one: { kind: string }) => (one.kind === "door" ? controller.abort() : undefined);
    const { ends, ended, seen } = await runTiny(city, { header: headerOf(8), intentions }, { observe, signal: controller.signal });
    expect(ended.end).toBe("interrupted");
    expect(seen.at(-1)).toBe(ended);
    expect(countBy(ends, ({ end }) => end)).toEqual({ unfinished: 9 });
    expect(lastHeld(seen, 3)).toEqual([]);
    await city.network.stop();
  });

  it("takes back what is still inside, if it is to leave the network clean", async () => {
    const city = await startTinyCity(redis, { sites: 3 });
    const intentions = [1, 2, 3].map((id) => intentionOf(id, id * 60_000, { purpose: "RETURN", stayMs: null }));
    const insideAfter = async (isLeftClean: boolean) => {
      const { ends, ended, seen } = await runTiny(city, { header: headerOf(8), intentions }, { isLeftClean });
      expect(countBy(ends, ({ end }) => end)).toEqual({ kept: 3 });
      expect(judge(seen)).toEqual([]);
      return ended.inside;
    };
    expect(await insideAfter(true)).toBe(0);
    expect(await insideAfter(false)).toBe(3);
    await city.network.stop();
  });

  it("reaches a gateway over TLS whose certificate only the run knows", async () => {
    const city = await startTinyCity(redis, { sites: 3 });
    const { port, baseUrl } = city.network;
    const server = createTlsServer({ cert: testCertificate, key: testKey }, (asked, answer) => {
      const { method, headers, url } = asked;
      // The signed address is the network's.
      const passed = request({ port, method, path: url, headers: { ...headers, host: new URL(baseUrl).host } }, (response) => {
        response.pipe(answer.writeHead(response.statusCode ?? 500, response.headers));
      });
      asked.pipe(passed);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const trace = { header: headerOf(8), intentions: [intentionOf(1, 0)] };
    const { ends, ended } = await runTiny(city, trace, { gateway: { url, protocol: "connect", tls: { ca: testCertificate } } });
    expect([ended.end, ends.map(({ end }) => end)]).toEqual(["complete", ["collected"]]);
    server.closeAllConnections();
    server.close();
    await city.network.stop();
  });

  it("ends in good order when the gateway stops", async () => {
    const city = await startTinyCity(redis, { sites: 3, shutdownGraceMs: 0 });
    const intentions = Array.from({ length: 5 }, (_, index) => intentionOf(index + 1, index * 60_000));
    let stopping: Promise<void> | undefined;
    const observe = (one: { kind: string }) => {
      if (one.kind === "door") stopping ??= city.network.gateway.stop();
    };
    const { ends, ended } = await runTiny(city, { header: headerOf(8), intentions }, { observe, lostAfterMs: 300 });
    await stopping;
    expect(ended).toMatchObject({ end: "gateway-lost", reason: expect.stringMatching(/^[A-Z_]+$/) });
    expect(ends).toHaveLength(5);
    await city.network.stop();
  });
});

describe("a run by the wall clock", () => {
  it("begins when everything is read, so that nobody is late because of that", async () => {
    const city = await startTinyCity(redis, { sites: 1 });
    const order: string[] = [];
    function* intentions() {
      order.push("the trace is read");
      yield intentionOf(1, 0, { change: "LEAVES" });
    }
    await runTiny(
      city,
      { header: headerOf(1), intentions: intentions() },
      {
        pace: { clock: "wall", speed: 1 },
        onBegin: () => order.push("it begins"),
        observe: ({ kind }) => order.push(kind),
      },
    );
    expect(order.slice(0, 2)).toEqual(["the trace is read", "it begins"]);
    await city.network.stop();
  });

  const pace = { clock: "wall", speed: 14_400 } as const;

  it("begins what is due, drops what is too much, shortens the rest, and ends with the trace", async () => {
    const city = await startTinyCity(redis, { sites: 3, places: 40 });
    const facts: Partial<Intention> = { purpose: "RETURN", stayMs: 90 * hourMs };
    const intentions = [1, 2, 3, 4, 5, 6].map((id) => intentionOf(id, 0, facts));
    const { ends, ended, seen } = await runTiny(city, { header: headerOf(4), intentions }, { pace, inFlightMax: 4 });
    expect(ended.end).toBe("complete");
    expect(countBy(ends, ({ end }) => end)).toEqual({ dropped: 2, unfinished: 4 });
    expect(lastHeld(seen, 3)).toEqual([]);
    await city.network.stop();
  });

  it("drops what was due and not begun when its time was over", async () => {
    const city = await startTinyCity(redis, { sites: 1 });
    const intentions = [0, 10, 20, hourMs / 2].map((atMs, index) => intentionOf(index + 1, atMs, { change: "LEAVES" }));
    const onBegin = () => {
      const endMs = performance.now() + 50;
      while (performance.now() < endMs);
    };
    const trace = { header: headerOf(1), intentions };
    const { ends, ended } = await runTiny(city, trace, { pace: { clock: "wall", speed: 1 }, untilMs: 20, onBegin });
    expect(ended.end).toBe("complete");
    expect(ends.map(({ intention, end }) => [intention, end])).toEqual([1, 2, 3].map((id) => [id, "dropped"]));
    await city.network.stop();
  });

  it("waits for those who come after all others have gone", async () => {
    const city = await startTinyCity(redis, { sites: 1 });
    const intentions = [0, hourMs].map((atMs, index) => intentionOf(index + 1, atMs, { change: "LEAVES" }));
    const { ends } = await runTiny(city, { header: headerOf(4), intentions }, { pace, untilMs: Number.POSITIVE_INFINITY });
    expect(ends.map(({ intention, end }) => [intention, end])).toEqual([1, 2].map((id) => [id, "left"]));
    await city.network.stop();
  });

  it("cancels the reservation of somebody who has left before the answer came", async () => {
    const city = await startTinyCity(redis, { sites: 3 });
    const slow = await startSlowProxy(city.network.port, "/petak.v1.ReservationService/Reserve");
    const trace = { header: headerOf(1), intentions: [intentionOf(1, 0, { patienceMs: 1500 })] };
    const { ends, seen } = await runTiny(city, trace, { pace, untilMs: hourMs * 100, gateway: { url: slow.url, protocol: "connect" } });
    expect(ends).toMatchObject([{ end: "gave-up", reason: "DEADLINE_EXCEEDED" }]);
    const calls = countBy(
      seen.filter((one) => one.kind === "call"),
      ({ operation, outcome }) => `${operation} ${outcome}`,
    );
    // On a slow machine they have left before they could reserve.
    expect(calls["cancel OK"]).toBe(calls["reserve OK"]);
    expect(lastHeld(seen, 3)).toEqual([]);
    await slow.stop();
    await city.network.stop();
  });
});

/** A proxy of a gateway that never passes on the first answer to a call. */
async function startSlowProxy(port: number, path: string): Promise<{ url: string; stop(): Promise<void> }> {
  let isFirst = true;
  const server = createServer((asked, answer) => {
    const isHeld = isFirst && asked.url === path;
    if (isHeld) isFirst = false;
    const { method, headers, url } = asked;
    const passed = request({ port, method, headers, path: url }, (response) => {
      if (isHeld) response.resume();
      else response.pipe(answer.writeHead(response.statusCode ?? 500, response.headers));
    });
    asked.pipe(passed);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Size classes with places that are held, by the last counts of the sites. */
function lastHeld(seen: readonly Observation[], sites: number) {
  const counts = seen.filter((one) => one.kind === "counts").slice(-sites);
  return counts.flatMap(({ sizeClasses }) => sizeClasses.filter(({ held }) => held > 0));
}
