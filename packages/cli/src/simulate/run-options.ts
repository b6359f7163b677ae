import { InputError, parseThreshold, type Threshold } from "@petak/simulator";
import { type Command, InvalidArgumentError, Option } from "commander";
import { usageFailure } from "../failure.ts";
import { decimalNumber, wholeNumber } from "./parse-number.ts";
import { defaultKeysFolder } from "./run-keys.ts";

/** Options of every run, of a drawn city and of a replayed trace. */
export interface RunOptions {
  keys: string;
  record?: string;
  log?: string;
  report: string;
  threshold?: Threshold[];
  management?: string;
  processes: number;
  protocol: "connect" | "grpc";
  fault?: Fault[];
  repairHours: number;
  keep?: boolean;
  alone?: boolean;
  iKnowThisIsLive?: string;
}

/** Rates of {@link faultNames}. */
interface Fault {
  name: FaultName;
  value: number;
}

/** What a run can break, with the greatest rate of each and what it is. */
const faultNames = {
  jammedDoors: { most: 1, what: "probability that a door does not open" },
  blindSensors: { most: 1, what: "probability that a sensor cannot tell whether something is inside" },
  offlinePerDay: { most: 1000, what: "how often a terminal loses the network, a day" },
  powerLossPerDay: { most: 1000, what: "how often a terminal loses its power, a day" },
} as const;
type FaultName = keyof typeof faultNames;

/** Most processes of a run. */
const mostProcesses = 64;

/** The default of `--report`. */
const defaultReport = "petak-report.html";

/** Adds the options of {@link RunOptions}. */
export function addRunOptions(command: Command): Command {
  const faults = Object.entries(faultNames).map(([name, { what }]) => `${name}, the ${what.replace(/^how often/, "times")}`);
  return command
    .option("--keys <folder>", "folder with admin.json, or courier*.json, and operator-*.json", defaultKeysFolder)
    .option("--report <file>", "the report; its figures are beside it as .json", defaultReport)
    .option("--log <file>", "the run log: everything that was observed (default: beside the report, as .ndjson)")
    .option("--record <file>", "write the trace of the run, for petak replay")
    .option("--threshold <figure<limit>", "what must be reached, e.g. 'find.p99<50ms'; several times", collectThreshold)
    .addOption(
      new Option(
        "--management <url>",
        "the gateway's management listener, whose metrics are in the results (default: its port + 1000)",
      ).argParser(httpUrl),
    )
    .option(
      "--processes <count>",
      "processes that make the load, each with a share of the people and terminals",
      wholeNumber(1, mostProcesses),
      1,
    )
    .addOption(new Option("--protocol <protocol>", "how the gateway is called").choices(["connect", "grpc"]).default("connect"))
    .option("--fault <name=rate>", `break something, several times: ${faults.join("; ")}`, collectFault)
    .addOption(
      new Option("--repair-hours <count>", "after how long a technician frees a jammed door")
        .argParser(decimalNumber("number of hours", 0.1, 10_000))
        .default(24),
    )
    .option("--keep", "leave the parcels inside that nobody has collected when the run ends (default: couriers take them back)")
    .option("--alone", "nobody else reserves at these sites: their counts must be exact (default: on a test clock, with empty sites)")
    .option("--i-know-this-is-live <host>", "run with live keys: the gateway's host and port, written out");
}

/** The option without which parcels are deposited and collected. Commander gives such an option no default if it is added during the parsing. */
export function noDoors(): Option {
  return new Option("--no-doors", "search, reserve and cancel only; nothing is deposited").default(true);
}

function collectThreshold(text: string, earlier: Threshold[] = []): Threshold[] {
  try {
    return [...earlier, parseThreshold(text)];
  } catch (error) {
    if (error instanceof InputError) throw usageFailure(`--${error.message}.`);
    throw error;
  }
}

function httpUrl(text: string): string {
  if (URL.parse(text)?.protocol.startsWith("http") === true) return text;
  throw new InvalidArgumentError(`"${text}" is no http URL: write e.g. http://127.0.0.1:9420.`);
}

function collectFault(text: string, earlier: Fault[] = []): Fault[] {
  const [, name = "", rate = ""] = /^\s*([A-Za-z]+)\s*=\s*(\d*\.?\d+)\s*$/.exec(text) ?? [];
  const known = Object.hasOwn(faultNames, name) ? (name as FaultName) : undefined;
  if (known === undefined)
    throw new InvalidArgumentError(`"${text}" is no fault: write NAME=RATE; names are ${Object.keys(faultNames).join(", ")}.`);
  const { most, what } = faultNames[known];
  if (Number(rate) > most) throw new InvalidArgumentError(`"${text}" is too much: ${known} is the ${what}, from 0 to ${most}.`);
  return [...earlier.filter((one) => one.name !== known), { name: known, value: Number(rate) }];
}

/** The faults by name. */
export function faultsOf({ fault = [] }: RunOptions): Partial<Record<FaultName, number>> {
  return Object.fromEntries(fault.map(({ name, value }) => [name, value]));
}

/** Parses `--speed`: how many times faster than the trace. */
export function parseSpeed(text: string): number {
  const speed = Number(text.trim().replace(/[x×]$/i, ""));
  if (/^\d*\.?\d+\s*[x×]?$/i.test(text.trim()) && speed > 0 && speed <= 1e6) return speed;
  throw new InvalidArgumentError(`"${text}" is no speed from 0.000001 to 1000000: write e.g. 60, for a trace's hour in a minute.`);
}

/** Parses `--rate`: intentions begun a second, on average. */
export function parseRate(text: string): number {
  const [, number = "", unit = ""] = /^(\d*\.?\d+)\s*\/\s*(s|min|h)$/.exec(text.trim()) ?? [];
  const perSecond = Number(number) / ({ s: 1, min: 60, h: 3600 }[unit] ?? Number.NaN);
  if (perSecond > 0 && perSecond <= 1e6) return perSecond;
  throw new InvalidArgumentError(`"${text}" is no rate up to 1000000/s: write e.g. 500/s, 30/min or 2/h.`);
}
