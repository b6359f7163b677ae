import { setTimeout as delay } from "node:timers/promises";
import { CancellationReason } from "@petak/protocol";
import { cancel } from "../actors/change.ts";
import type { City } from "../actors/city.ts";
import type { Courier } from "../actors/courier.ts";
import { readFeeds } from "../actors/feed.ts";
import type { Life } from "../actors/life.ts";
import type { RunEnded } from "../observe/observation.ts";
import { serveVisits } from "../process-group/visits.ts";
import { verifyChains } from "./chains.ts";
import type { CityRun } from "./city-run.ts";
import { readDirectory, sampleCounts } from "./counts.ts";
import type { OpenRun } from "./open-run.ts";
import { takeBack } from "./take-back.ts";

/** How long acts in progress may take to end, in ms. */
const graceMs = 10_000;

/** How long the clean-up may take with calls to the gateway, in ms. */
const cleanUpMs = 60_000;

/** How long parcels are taken back at the end, in ms. */
const takeBackMs = 60_000;

/** Reservations that are cancelled at a time. */
const cancelsMax = 16;

/** Ends every open intention, gives back what was taken for nothing, reads what was not read yet, and removes the terminals. */
export async function endRun(run: CityRun, { stage, state, stop, chains, close }: OpenRun): Promise<RunEnded> {
  const { city, crew, couriers } = stage;
  const isInterrupted = run.signal.aborted;
  stop.abort();
  // The calls of the clean-up are made although the run is over, also those for visits of others.
  const during = (ms: number): City => {
    const cleaner = { ...city, signal: AbortSignal.timeout(ms) };
    if (run.group !== undefined) serveVisits(run.group, cleaner, couriers);
    return cleaner;
  };
  await stage.source.close();
  await Promise.race([crew.all(), delay(graceMs, undefined, { ref: false })]);
  const isLost = state.lost !== undefined;
  const isFirst = (run.group?.member ?? 0) === 0;
  const report = async () => {
    for (const siteId of await city.doors.flushed()) run.observe({ kind: "reported", atMs: city.nowMs(), siteId });
  };
  try {
    let cleaner = during(cleanUpMs);
    await endAll(cleaner, isLost);
    if (!isLost) await report();
    // What is read at last is what all have done.
    await run.group?.meet();
    if (!isLost && isFirst) await sampleCounts(cleaner, couriers[0] as Courier);
    await run.group?.meet();
    if (!isLost && run.isLeftClean === true) {
      await takeBack(during(takeBackMs));
      await report();
    }
    await run.group?.meet();
    cleaner = during(cleanUpMs);
    if (!isLost) await verifyChains(cleaner, chains, run.gateway);
    if (!isLost && isFirst) await readTheRest(cleaner, couriers);
  } finally {
    await city.doors.remove();
    close();
  }
  if (state.defect !== undefined) throw state.defect;
  const end = state.lost !== undefined ? "gateway-lost" : isInterrupted ? "interrupted" : "complete";
  const inside = city.lives.inside.size;
  const ended: RunEnded = {
    kind: "end",
    atMs: city.nowMs(),
    doneMs: city.doneMs(),
    end,
    ...(state.lost && { reason: state.lost }),
    inside,
  };
  run.observe(ended);
  return ended;
}

async function readTheRest(city: City, couriers: readonly Courier[]): Promise<void> {
  await readDirectory(city);
  // So often that the oracle can make every check.
  for (let reading = 0; reading < 3; reading++) await readFeeds(city, couriers);
}

async function endAll(city: City, isLost: boolean): Promise<void> {
  const rest = [...city.lives.open];
  const endNext = async () => {
    for (let life = rest.pop(); life !== undefined; life = rest.pop()) await endOne(city, life, isLost);
  };
  await Promise.all(Array.from({ length: cancelsMax }, endNext));
}

async function endOne(city: City, life: Life, isLost: boolean): Promise<void> {
  if (life.phase === "inside" && life.intention.stayMs === null) return city.lives.end(life, "kept");
  const isWaiting = life.phase === "held" || life.phase === "queued";
  if (isWaiting && !isLost && !city.signal.aborted) await cancel(city, life, CancellationReason.OTHER).catch(() => false);
  city.lives.end(life, "unfinished");
}
