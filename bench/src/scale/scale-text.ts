import type { Assumptions } from "./assumptions.ts";
import type { MeasuredCosts, Scale } from "./estimate-scale.ts";

/** The estimate as Markdown, step by step. */
export function scaleText(costs: MeasuredCosts, assumed: Assumptions, scale: Scale): string {
  const idle = percent(assumed.headroom);
  const changes = 1 + assumed.furtherChanges;
  return [
    `With ${idle} of each machine left idle:`,
    "",
    "| | carries |",
    "|---|---|",
    `| one core of gateway | ${number(scale.looksPerCore)} FindNearest a second, or ${number(scale.reservationsPerCore)} Reserve |`,
    `| one Redis master | ${number(scale.reservationsPerMaster)} reservations a second with ${assumed.furtherChanges} further changes of each; room for ${millions(scale.sitesPerMaster)} sites in ${gigabytes(assumed.bytesPerMaster)} |`,
    "",
    "All of ASEAN on its busiest day, by these assumptions, none of which is measured:",
    "",
    "| step | computation | result |",
    "|---|---|---|",
    `| parcels on a mean day | ${number(assumed.people)} people × ${assumed.parcelsPerPersonAndYear} parcels a year (assumed) ÷ 365 | ${millions(scale.parcelsPerDay)} |`,
    `| reservations on the busiest day | × ${assumed.peakDayFactor} (assumed) × ${percent(assumed.outOfHomeShare)} to lockers and collection points (assumed) | ${millions(scale.peakDayReservations)} |`,
    `| in the busiest second | × ${percent(assumed.peakHourShare)} in the busiest hour (assumed) ÷ 3600 | ${number(scale.reservationsPerSecond)} |`,
    `| FindNearest a second | × ${assumed.looksPerReservation} looks for each (assumed) | ${number(scale.looksPerSecond)} |`,
    `| changes a second | × ${changes}: Reserve and ${assumed.furtherChanges} more, each as costly as a Reserve (assumed) | ${number(scale.changesPerSecond)} |`,
    `| sites | a day's reservations ÷ ${assumed.placesPerSite} places, each used once a day (assumed) | ${millions(scale.sites)} |`,
    `| gateways | ${number(scale.looksPerSecond)} × ${digits(costs.lookMicros)} µs = ${digits(scale.lookCores)} cores, ${number(scale.changesPerSecond)} × ${digits(costs.reserveMicros)} µs = ${digits(scale.changeCores)} cores, ${idle} idle | **${scale.gatewayCores} cores of gateway** |`,
    `| Redis, processor | ${number(scale.changesPerSecond)} × ${digits(costs.redisReserveMicros)} µs = ${digits(scale.redisChangeCores)} cores; ${assumed.countChanges} changes of what is free × ${scale.gatewayCores} gateways informed × ${digits(costs.warmQueryMicros * costs.queriesPerHold)} µs = ${digits(scale.redisInvalidationCores)} cores; ${idle} idle | ${scale.mastersByProcessor} masters |`,
    `| Redis, memory | sites × ${number(costs.siteBytes)} bytes, reservations of ${assumed.daysKept} busiest days (assumed) × ${number(costs.reservationBytes)} bytes = ${gigabytes(scale.memoryBytes)}; masters of ${gigabytes(assumed.bytesPerMaster)} (assumed), ${idle} free | ${scale.mastersByMemory} masters |`,
    `| | the greater of the two | **${scale.masters} Redis masters**, and as many replicas again as each shall have |`,
    "",
    "Every gateway is assumed to be one process on one core that caches the whole index and is informed of every change; a gateway that serves some regions only is informed of fewer.",
  ].join("\n");
}

function number(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function digits(value: number): string {
  return value >= 100 ? number(value) : String(Number(value.toPrecision(2)));
}

function millions(value: number): string {
  return `${Number((value / 1e6).toPrecision(3))} million`;
}

function gigabytes(bytes: number): string {
  return `${number(bytes / 1e9)} GB`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
