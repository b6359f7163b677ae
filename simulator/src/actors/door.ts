import { CancellationReason } from "@petak/protocol";
import { CallFailed } from "./calls.ts";
import { cancel, placeEnds } from "./change.ts";
import type { City, Errand } from "./city.ts";
import type { Life } from "./life.ts";
import type { Moment } from "./moment.ts";
import { issueToCollector, visit } from "./visit.ts";
import { whenOpen } from "./when-open.ts";

/** The depositor puts the parcel in. */
export async function deposit(city: City, life: Life, moment: Moment): Promise<void> {
  if (life.phase !== "held" || life.isBusy) return;
  await atTheDoor(life, async () => {
    const visited = await visit(city, life, "DEPOSIT");
    if (!visited.opened) return await tryAgain(city, life, moment, { life, act: "DEPOSIT" }, visited.refusal);
    life.phase = "inside";
    life.depositedAtMs = city.nowMs();
    life.failures = 0;
    await planCollection(city, life, moment);
  });
}

async function planCollection(city: City, life: Life, moment: Moment): Promise<void> {
  const { stayMs, collectBy, purpose } = life.intention;
  if (stayMs === null) return city.lives.rest(life, true);
  const planMs = city.schedule.answeredAt(moment) + stayMs;
  if (collectBy === "RECALL") return city.schedule.at(await whenOpen(city, life, planMs), (next) => recall(city, life, next));
  if (purpose !== "DELIVERY") return city.nextRound(planMs, { life, act: "COLLECT" });
  city.schedule.at(await whenOpen(city, life, planMs), (next) => collect(city, life, next));
  // The consumer is told at once; a PIN needs until the terminal's next synchronisation.
  await issueToCollector(city, life).catch((error: unknown) => {
    if (!(error instanceof CallFailed)) throw error;
  });
}

/** The collector takes the parcel. */
export async function collect(city: City, life: Life, moment: Moment): Promise<void> {
  if (life.phase !== "inside" || life.isBusy) return;
  await atTheDoor(life, async () => {
    const visited = await visit(city, life, "COLLECT");
    // What was shown may be spent or over: the next time it is another.
    delete life.shown;
    if (!visited.opened) return await tryAgain(city, life, moment, { life, act: "COLLECT" }, visited.refusal);
    city.lives.end(life, "collected", stayOf(city, life));
  });
}

/** The depositor takes the parcel back. */
export async function recall(city: City, life: Life, moment: Moment): Promise<void> {
  if (life.phase !== "inside" || life.isBusy) return;
  await atTheDoor(life, async () => {
    const visited = await visit(city, life, "RECALL");
    if (!visited.opened) return await tryAgain(city, life, moment, { life, act: "RECALL" }, visited.refusal);
    city.lives.end(life, "recalled", stayOf(city, life));
  });
}

/** Does an errand. */
export async function doErrand(city: City, { life, act }: Errand, moment: Moment): Promise<void> {
  await { DEPOSIT: deposit, COLLECT: collect, RECALL: recall }[act](city, life, moment);
}

async function atTheDoor(life: Life, run: () => Promise<void>): Promise<void> {
  life.isBusy = true;
  try {
    await run();
  } finally {
    life.isBusy = false;
  }
}

function stayOf(city: City, { depositedAtMs }: Life): { stayMs?: number } {
  return depositedAtMs === undefined ? {} : { stayMs: city.nowMs() - depositedAtMs };
}

/** The door did not open: they come again, and in the end somebody must look. */
async function tryAgain(city: City, life: Life, moment: Moment, errand: Errand, refusal: string): Promise<void> {
  const { parameters, schedule, lives } = city;
  if (errand.act === "DEPOSIT" && refusal === "ILLEGAL_STATE") {
    placeEnds(city, life);
    return lives.end(life, "expired");
  }
  life.failures += 1;
  if (life.failures >= parameters.tries || refusal === "NO_DOOR") {
    if (errand.act === "DEPOSIT") await cancel(city, life, CancellationReason.SITE_PROBLEM);
    return lives.end(life, "stranded", { reason: refusal });
  }
  const laterMs = schedule.answeredAt(moment) + parameters.tryAgainMs;
  const isByCourier = (errand.act === "COLLECT") === (life.intention.purpose !== "DELIVERY");
  if (isByCourier) city.nextRound(laterMs, errand);
  else schedule.at(await whenOpen(city, life, laterMs), (next) => doErrand(city, errand, next));
}
