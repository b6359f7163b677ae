import type { PetakClient } from "@petak/client/node";
import type { Command } from "commander";
import { usageFailure } from "../failure.ts";
import type { Session } from "../session.ts";
import { formatCount } from "../terminal/progress.ts";
import { aloneRemark, isAlone } from "./alone.ts";
import type { SimulatedCity } from "./city.ts";
import { cityAround } from "./city-of-files.ts";
import { type Demand, drawDemand, readDemand, usualParcels } from "./demand.ts";
import type { DrawOptions } from "./options.ts";
import { outputFiles } from "./output-files.ts";
import { decidePace, defaultMinutes, paceRemarks } from "./pace.ts";
import { ensureOperator } from "./participants.ts";
import { periodOf } from "./period.ts";
import { planSites } from "./plan-sites.ts";
import { isPlanned } from "./planned-sites.ts";
import { checkClock, doorRemark, faultsOfRun, type ReadyGateway, readyGateway, stopIfInterrupted } from "./prepare.ts";
import type { PreparedRun } from "./prepared-run.ts";
import { withClient } from "./run-keys.ts";
import type { RunOptions } from "./run-options.ts";
import { type RunSites, readRunSites } from "./run-sites.ts";
import { openSiteFile, type SiteFileOptions } from "./site-file.ts";
import { openTrace, type RunTrace } from "./trace-file.ts";

/** Options of `petak simulate`. */
export interface SimulateOptions extends DrawOptions, RunOptions, SiteFileOptions {
  trace?: string;
  minutes?: number;
  plan?: number;
  walk: number;
  doors: boolean;
}

/** Parcels on an ordinary day for each place of the city's sites, unless it is said: a parcel needs its place for some two days. */
const parcelsPerPlace = 0.5;

/** Most parcels on an ordinary day, unless it is said. */
const mostUsualParcels = 20_000;

/**
 * Decides and checks everything of a simulation, in the order in which it is cheapest to be wrong: options, files, keys, gateway. Of all this only the sites of
 * `--sites` are written to the gateway.
 *
 * @throws CliFailure, InputError or ConnectError if it cannot run.
 */
export async function prepareSimulation(session: Session, options: SimulateOptions, running: Command): Promise<PreparedRun> {
  const { io, output, url } = session;
  const signal = io.interruption();
  checkOptions(options, running);
  const given = options.trace === undefined ? undefined : await openTrace(session.resolve(options.trace));
  const demand = given === undefined ? await readDemand(options, session.resolve) : undefined;
  const city = demand?.city ?? cityOfTrace(given as RunTrace);
  const sitePath = options.sites === undefined ? undefined : session.resolve(options.sites);
  const siteFile = sitePath && (await openSiteFile(sitePath, options, city.countryCode, { output, url, signal }));
  const inputs = [options.trace, options.sites, ...(options.people ?? [])].filter((path) => path !== undefined).map(session.resolve);
  const files = await outputFiles(options, session.resolve, inputs);
  const gateway = await readyGateway(session, options, running);
  const operator = siteFile || options.plan !== undefined ? await simulationOperator(session, gateway) : undefined;
  if (siteFile && operator !== undefined) await withClient(session, operator, (client) => siteFile.write(client));
  const operatorId = siteFile ? operator?.participant_id : undefined;
  const operators =
    operator === undefined ? gateway.keys.operators : new Map([...gateway.keys.operators, [operator.participant_id, operator]]);
  const keys = { ...gateway.keys, operators };
  const sites = await withClient(session, gateway.courier, (client) => readRunSites(client, city, keys, operatorId));
  stopIfInterrupted(signal);
  const nowMs = gateway.testClockMs ?? io.now();
  const parcels = options.parcels ?? (demand && defaultParcels(demand, sites));
  const trace = given ?? (await draw(demand as Demand, options, nowMs, parcels as number));
  const pace = decidePace({
    minutes: options.minutes,
    hasTestClock: gateway.testClockMs !== undefined,
    hasAdmin: keys.admin !== undefined,
    durationMs: trace.header.durationMs,
    intentions: trace.count,
    usualMinutes: defaultMinutes,
  });
  checkClock(options, pace);
  const alone = await withClient(session, gateway.courier, (client) => isAlone(client, city, { isSaid: options.alone === true, pace }));
  const existing = sites.sites.filter((site) => !isPlanned(site)).flatMap(({ position }) => position ?? []);
  const plan =
    demand && options.plan !== undefined
      ? planSites(demand.people, existing, { count: options.plan, walkM: options.walk, seed: options.seed })
      : undefined;
  return {
    url,
    tls: session.tls,
    city,
    trace,
    pace,
    keys,
    hasDoors: options.doors,
    operator,
    operatorId,
    sites,
    isAlone: alone,
    faults: faultsOfRun(options, options.seed),
    plan,
    files,
    options,
    remarks: [
      ...(demand?.remarks ?? []),
      ...parcelRemarks(options, demand, parcels),
      ...(siteFile ? [`The sites are those of ${siteFile.name}; they stay in the gateway, as sites of the simulated operator.`] : []),
      ...doorRemark(sites.sites.length, sites.withDoors, options.doors),
      ...aloneRemark(alone),
      ...paceRemarks(pace),
    ],
  };
}

/** Options that a trace makes meaningless. */
const drawing = ["city", "people", "trips", "peopleColumns", "peopleProperty", "from", "days", "parcels", "plan"] as const;

function checkOptions(options: SimulateOptions, running: Command): void {
  const isGiven = (name: string) => running.getOptionValueSource(name) === "cli";
  const flag = (name: string) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const useless = options.trace === undefined ? undefined : drawing.find(isGiven);
  if (useless !== undefined)
    throw usageFailure(`${flag(useless)} is for drawing, and --trace has people, times and parcels in it. Leave one of them out.`);
  if (options.sites !== undefined && options.trace === undefined && options.city === undefined && options.people === undefined) {
    throw usageFailure("--sites says where sites are, not who lives there. Give --city NAME, or --people FILE, or --trace FILE.");
  }
  const ofSites = (["kind", "country", "map", "compartments", "skipRefused"] as const).find(isGiven);
  if (options.sites === undefined && ofSites !== undefined)
    throw usageFailure(`${flag(ofSites)} says how a file of sites is read. Give --sites FILE as well.`);
  if (options.plan === undefined && isGiven("walk")) throw usageFailure("--walk is for --plan. Give --plan N as well.");
}

function cityOfTrace({ header, bounds }: RunTrace): SimulatedCity {
  return cityAround(header.city, bounds, header.timeZone);
}

/** Whose sites are put into the directory for the run. */
async function simulationOperator(session: Session, { keys, courier }: ReadyGateway) {
  const { admin, folder } = keys;
  if (courier.mode === "live")
    throw usageFailure("--sites and --plan put sites into the test network, and the courier's key is live. Give a test key.");
  if (admin === undefined) {
    throw usageFailure(
      "--sites and --plan put sites into the gateway, for an operator that an administrator makes. Give --keys a folder with admin.json.",
    );
  }
  return await withClient(session, admin, (client: PetakClient) => ensureOperator(client, folder, admin.audience));
}

/** By the residents, but not more than the sites can take. */
function defaultParcels({ people }: Demand, { places }: RunSites): number {
  return Math.max(1, Math.min(usualParcels(people), Math.round(places * parcelsPerPlace), mostUsualParcels));
}

function parcelRemarks(options: SimulateOptions, demand: Demand | undefined, parcels: number | undefined): string[] {
  if (demand === undefined || parcels === undefined || options.parcels !== undefined) return [];
  const usual = usualParcels(demand.people);
  if (parcels === usual) return [];
  return [
    `An ordinary day has ${formatCount(parcels)} parcels, half as many as the sites have places and at most ${formatCount(mostUsualParcels)}, though the residents would have ${formatCount(usual)}: --parcels sets it.`,
  ];
}

async function draw(demand: Demand, options: SimulateOptions, nowMs: number, parcels: number): Promise<RunTrace> {
  const period = periodOf({ from: options.from, days: options.days, timeZone: demand.city.timeZone, nowMs });
  return await drawDemand(demand, period, parcels, options.seed);
}
