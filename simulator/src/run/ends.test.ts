import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Role } from "@petak/protocol";
import { makeSite, useRedis } from "@petak/testkit";
import { keyFileOf } from "@petak/testkit/network";
import { expect, it } from "vitest";
import type { End } from "../observe/observation.ts";
import type { Intention } from "../trace/intention.ts";
import { center, headerOf, hourMs, intentionOf, runTiny, startTinyCity } from "./testing/tiny-city.ts";

const redis = useRedis();

const tiny: [string, number, number, number, number, number] = ["S", 400, 150, 500, 5000, 1];

/** What people mean to do, and how that must end. */
const cases: readonly [facts: Partial<Intention>, end: End, reason?: string][] = [
  [{}, "collected"],
  [{ collectBy: "PIN", looks: 3, thinkMs: 20_000, option: 2 }, "collected"],
  [{ purpose: "RETURN" }, "collected"],
  [{ purpose: "FIRST_MILE", courier: 2 }, "collected"],
  [{ collectBy: "RECALL" }, "recalled"],
  [{ stayMs: null }, "kept"],
  [{ stayMs: null, siteRef: "strict" }, "recalled"],
  [{ change: "LEAVES" }, "left"],
  [{ change: "CANCELS", changeAfterMs: 600_000 }, "cancelled"],
  [{ change: "REDIRECTS", changeAfterMs: 600_000 }, "collected"],
  [{ depositAfterMs: null }, "no-show"],
  [{ widthMm: 2000 }, "refused", "NO_OPTION"],
  [{ siteRef: "nowhere" }, "refused", "SITE_NOT_FOUND"],
  [{ depositAfterMs: 20 * hourMs, siteRef: "strict" }, "expired"],
  [{ siteRef: "strange" }, "stranded", "NO_DOOR"],
  // They are three at a site with one place.
  [{ siteRef: "single", stayMs: 6 * hourMs }, "collected"],
  [{ siteRef: "single" }, "refused", "NO_PLACE_FREE"],
  [{ siteRef: "single", overflowWaitS: 3600 }, "rejected"],
  [{ siteRef: "single", overflowWaitS: 86_400 }, "collected"],
  [{ walkM: 1 }, "refused", "NO_SITE_NEAR"],
  [{ walkM: 1, overflowWithinM: 2, overflowWaitS: 60 }, "refused", "NO_SITE_NEAR"],
];

it("ends each intention once, as it must, and leaves nothing held behind", async () => {
  const city = await startTinyCity(redis, { sites: 4 });
  const { network } = city;
  const operator = await network.join("Operator C", [Role.OPERATOR]);
  const stranger = await network.join("Operator D", [Role.OPERATOR]);
  const terms = { noShowAfter: durationFromMs(2 * hourMs), freeStorage: durationFromMs(hourMs) };
  const away = { latitude: center.latitude, longitude: center.longitude + 0.03 };
  await network.putSite(operator, makeSite({ ...away, ref: "strict" }, { terms }));
  await network.putSite(operator, makeSite({ ...away, ref: "single", classes: [tiny] }));
  await network.putSite(stranger, makeSite({ ...away, ref: "strange" }));
  const operators = new Map([...city.operators, [operator.participantId, keyFileOf(operator)]]);
  const intentions = cases.map(([facts], index) => intentionOf(index + 1, index * 400_000, facts));
  const { seen, ended, ends } = await runTiny(city, { header: headerOf(24), intentions }, { operators });

  expect(ended.end).toBe("complete");
  const inOrder = ends.toSorted((a, b) => a.intention - b.intention);
  expect(inOrder.map(({ intention, end, reason }) => [intention, end, reason])).toEqual(
    cases.map(([, end, reason], index) => [index + 1, end, reason]),
  );
  expect(inOrder.filter(({ isRedirected }) => isRedirected).map(({ intention }) => cases[intention - 1]?.[0].change)).toEqual([
    "REDIRECTS",
  ]);
  const waited = inOrder.filter(({ waitedMs }) => waitedMs !== undefined).map(({ waitedMs = 0 }) => Math.round(waitedMs / hourMs));
  expect(waited).toEqual([1, expect.toSatisfy((hours: number) => hours > 5)]);

  const counts = seen.filter((one) => one.kind === "counts").slice(-6);
  expect(counts.flatMap(({ sizeClasses }) => sizeClasses.filter(({ held }) => held > 0))).toEqual([]);
  const chains = seen.filter((one) => one.kind === "chain");
  expect(chains.map(({ isComplete, faults }) => [isComplete, faults])).toEqual(chains.map(() => [true, []]));
  expect(chains.length).toBeGreaterThan(10);
  for (const { participantId } of [operator, ...[...city.operators.keys()].map((id) => ({ participantId: id }))]) {
    const { keys } = await network.admin.client.participants.listKeys({ participantId });
    expect(keys.filter(({ siteId, revokedAt }) => siteId !== "" && revokedAt === undefined)).toEqual([]);
  }
  await network.stop();
});
