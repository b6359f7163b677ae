import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { Site } from "@petak/protocol";
import { type After, afterByTimer } from "../timer.ts";
import type { Cabinet, CabinetCompartment } from "./cabinet.ts";

/** The default export of a module that drives real locks. Its settings are its own: environment variables, or a file that it reads. */
export interface CabinetDriver extends Cabinet {
  /** Connects to the locks, before anything else is called. Default: nothing has to be done. */
  start?(): Promise<void>;
  /** Lets go of the locks. Default: nothing has to be done. */
  stop?(): Promise<void>;
}

/** A cabinet driver cannot be used: why, in a sentence without its full stop. */
export class CabinetError extends Error {
  override readonly name = "CabinetError";
}

/** How long a driver may take to start and to stop, in ms. */
export const driverTimeoutMs = 10_000;

const methods = ["compartments", "open", "doorState", "occupancy", "onChange"] as const;
/** As in the protocol's sites. */
const compartmentId = /^[A-Za-z0-9_-]{1,16}$/;
/** Differences that one sentence names. */
const named = 5;

/** Loads the default export of an ES module. Throws a CabinetError that names the file and what is wrong. */
export async function loadDriver(path: string): Promise<CabinetDriver> {
  if (!existsSync(path)) throw new CabinetError(`the cabinet driver ${path} does not exist`);
  let module: { default?: unknown };
  try {
    module = (await import(pathToFileURL(path).href)) as typeof module;
  } catch (error) {
    throw new CabinetError(`the cabinet driver ${path} cannot be loaded: ${textOf(error)}`, { cause: error });
  }
  const driver = module.default;
  if (typeof driver !== "object" || driver === null) throw new CabinetError(`${path} has no object as its default export`);
  const lacking = methods.filter((name) => typeof (driver as Record<string, unknown>)[name] !== "function");
  if (lacking.length > 0) throw new CabinetError(`the default export of ${path} lacks ${lacking.map((name) => `${name}()`).join(", ")}`);
  return driver as CabinetDriver;
}

/** Starts a driver. Gives its compartments. Throws a CabinetError if it fails, takes longer than 10 s, or has compartments that no site can have. */
export async function startDriver(driver: CabinetDriver, after: After = afterByTimer): Promise<readonly CabinetCompartment[]> {
  try {
    await inTime(async () => await driver.start?.(), { after, timeoutMs: driverTimeoutMs, sentence: "it takes longer than 10 s" });
  } catch (error) {
    throw new CabinetError(`the cabinet does not start: ${textOf(error)}`, { cause: error });
  }
  let list: unknown;
  try {
    list = driver.compartments();
  } catch (error) {
    throw new CabinetError(`the cabinet does not say which compartments it has: ${textOf(error)}`, { cause: error });
  }
  if (!Array.isArray(list) || list.length === 0)
    throw new CabinetError("the cabinet has no compartments: compartments() must return a list");
  const seen = new Set<string>();
  for (const one of list as Partial<CabinetCompartment>[]) {
    const { compartmentId: id, sizeClassId } = one ?? {};
    if (typeof id !== "string" || !compartmentId.test(id) || typeof sizeClassId !== "string" || sizeClassId === "") {
      throw new CabinetError(
        `the cabinet has a compartment ${JSON.stringify(one)}: it needs a compartmentId of 1 to 16 letters, digits, - and _, and a sizeClassId`,
      );
    }
    if (seen.has(id)) throw new CabinetError(`the cabinet has two compartments "${id}"`);
    seen.add(id);
  }
  return (list as CabinetCompartment[]).map(({ compartmentId: id, sizeClassId }) => ({ compartmentId: id, sizeClassId }));
}

/** Stops a driver. Throws if it fails or takes longer than 10 s. */
export async function stopDriver(driver: CabinetDriver, after: After = afterByTimer): Promise<void> {
  await inTime(async () => await driver.stop?.(), {
    after,
    timeoutMs: driverTimeoutMs,
    sentence: "the cabinet takes longer than 10 s to stop",
  });
}

/** Compares a cabinet with its site, or with the site's number of places of each size class if it lists no compartments. Throws a CabinetError that names differences. */
export function checkCompartments(
  compartments: readonly CabinetCompartment[],
  site: Pick<Site, "siteId" | "compartments" | "sizeClasses">,
): void {
  const differences =
    site.compartments.length > 0 ? compareCompartments(compartments, site.compartments) : compareCounts(compartments, site.sizeClasses);
  if (differences.length === 0) return;
  const more = differences.length > named ? `; and ${differences.length - named} more` : "";
  throw new CabinetError(
    `the compartments of the cabinet are not those of ${site.siteId}: ${differences.slice(0, named).join("; ")}${more}`,
  );
}

function compareCompartments(cabinet: readonly CabinetCompartment[], site: readonly CabinetCompartment[]): string[] {
  const ofSite = new Map(site.map((one) => [one.compartmentId, one.sizeClassId]));
  const ofCabinet = new Map(cabinet.map((one) => [one.compartmentId, one.sizeClassId]));
  return [
    ...cabinet.flatMap(({ compartmentId: id, sizeClassId }) => {
      const there = ofSite.get(id);
      if (there === undefined) return [`the site has no ${id}`];
      return there === sizeClassId ? [] : [`${id} has size class ${sizeClassId} in the cabinet and ${there} at the site`];
    }),
    ...site.filter((one) => !ofCabinet.has(one.compartmentId)).map((one) => `the cabinet has no ${one.compartmentId}`),
  ];
}

function compareCounts(cabinet: readonly CabinetCompartment[], sizeClasses: Site["sizeClasses"]): string[] {
  const wanted = new Map(sizeClasses.map(({ sizeClassId, installed }) => [sizeClassId, installed]));
  const found = new Map<string, number>();
  for (const { sizeClassId } of cabinet) found.set(sizeClassId, (found.get(sizeClassId) ?? 0) + 1);
  return [...new Set([...wanted.keys(), ...found.keys()])].flatMap((id) => {
    const [has, needs] = [found.get(id) ?? 0, wanted.get(id) ?? 0];
    return has === needs ? [] : [`the cabinet has ${has} of size class ${id} and the site ${needs}`];
  });
}

/** Something took longer than it may. */
export class LateError extends Error {
  override readonly name = "LateError";
}

/** Runs something that may hang. Rejects with a LateError and a sentence when its time is over; what it does afterwards is its own. */
export async function inTime<Value>(
  work: () => Promise<Value>,
  { after, timeoutMs, sentence }: { after: After; timeoutMs: number; sentence: string },
): Promise<Value> {
  let cancel: (() => void) | undefined;
  const late = new Promise<never>((_, reject) => {
    cancel = after(timeoutMs, () => reject(new LateError(sentence)));
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    cancel?.();
  }
}

/** What a stranger's code threw, in one line. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
