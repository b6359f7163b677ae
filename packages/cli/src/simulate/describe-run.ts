import type { Output } from "../terminal/output.ts";
import { formatCount } from "../terminal/progress.ts";
import type { Plan } from "./plan-sites.ts";
import { plannedRef } from "./planned-sites.ts";
import type { PreparedRun } from "./prepared-run.ts";

/** Says what will be run, before it is. */
export function describeRun(output: Output, run: PreparedRun): void {
  const { bold, dim } = output.colors;
  const { city, sites, keys, trace, url, plan } = run;
  const couriers = keys.couriers.length === 1 ? "one courier" : `${keys.couriers.length} couriers`;
  output.print(
    `${bold(trace.header.city)}, at ${url}: ${counted(sites.sites.length, "site")} with ${counted(sites.places, "place")}, ${couriers}.`,
  );
  output.print(`${counted(trace.count, "intention")} from ${localDay(trace.header.startAt, city.timeZone)} on, ${periodText(run)}.`);
  for (const remark of run.remarks) output.print(dim(`  ${remark}`));
  if (plan !== undefined) describePlan(output, plan);
  output.print();
}

/** The period of the trace, and how it passes. */
export function periodText({ trace, pace }: PreparedRun): string {
  const period = durationText(trace.header.durationMs);
  if (pace.clock === "driven") return `${period} on the gateway's test clock`;
  return `${period} in ${durationText(trace.header.durationMs / pace.speed)}, ${factorText(pace.speed)}`;
}

function factorText(speed: number): string {
  return `${speed.toLocaleString("en", { maximumSignificantDigits: 3 })} times as fast`;
}

/** A length of time in its largest fitting unit. */
export function durationText(ms: number): string {
  const units = [
    [86_400_000, "day"],
    [3_600_000, "hour"],
    [60_000, "minute"],
  ] as const;
  const [size, unit] = units.find(([least]) => ms >= 2 * least) ?? [1000, "second"];
  const amount = ms / size;
  return counted(amount, unit);
}

function counted(amount: number, unit: string): string {
  return `${amount.toLocaleString("en", { maximumFractionDigits: amount < 10 ? 1 : 0 })} ${unit}${amount === 1 ? "" : "s"}`;
}

function localDay(instant: string, timeZone: string): string {
  return new Date(instant).toLocaleDateString("sv", { timeZone });
}

function describePlan(output: Output, { sites, walkM, residents, coveredBefore, coveredAfter, medianBeforeM, medianAfterM }: Plan): void {
  const share = (people: number) => `${((100 * people) / residents).toFixed(1)} %`;
  const metres = (m: number | null) => (m === null ? "none" : `${formatCount(m)} m`);
  output.print(
    `${counted(sites.length, "planned site")}: ${share(coveredBefore)} of the residents have a site within ${walkM} m, ${share(coveredAfter)} with them; to the nearest site it is ${metres(medianBeforeM)} for half of them, ${metres(medianAfterM)} with them.`,
  );
  const rows = sites.map(({ position, residents: gained }, index) => [
    plannedRef(index),
    `${position.latitude}, ${position.longitude}`,
    formatCount(gained),
  ]);
  output.table([{ title: "PLANNED SITE" }, { title: "POSITION" }, { title: "RESIDENTS GAINED", align: "right" }], rows);
}
