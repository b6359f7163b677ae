import type { Site } from "@petak/protocol";
import { type After, afterByTimer } from "../timer.ts";
import type { CabinetCompartment } from "./cabinet.ts";
import { type CabinetDriver, checkCompartments, inTime, startDriver, stopDriver, textOf } from "./driver.ts";
import { lockTimeoutMs } from "./guarded-cabinet.ts";

/** One thing that a driver must do, and whether it does. */
export interface DriverCheck {
  readonly what: string;
  /** What is wrong. Undefined: nothing. */
  readonly problem?: string;
}

export interface DriverCheckOptions {
  /** The site whose compartments the driver must have. Default: they are not compared. */
  site?: Site | undefined;
  /** The doors to open, one after the other. Somebody must be there to close them. Default: none, and no lock moves. */
  open?: readonly string[];
  /** Told when a door is open and must be closed by hand. */
  onOpen?: (compartmentId: string) => void;
  /** How long somebody may take to close a door, in ms. Default 60,000. */
  closeMs?: number;
  after?: After;
}

/**
 * Starts a driver, does with it what an agent does, and stops it. Yields each result when it is known; never throws for what the driver does.
 */
export async function* checkDriver(driver: CabinetDriver, options: DriverCheckOptions = {}): AsyncGenerator<DriverCheck> {
  const { site, open = [], after = afterByTimer } = options;
  let compartments: readonly CabinetCompartment[];
  try {
    compartments = await startDriver(driver, after);
    yield { what: `starts, and has ${compartments.length} compartments` };
  } catch (error) {
    yield { what: "starts", problem: textOf(error) };
    await stopDriver(driver, after).catch(() => undefined);
    return;
  }
  try {
    if (site !== undefined) yield await result(`has the compartments of ${site.siteId}`, () => checkCompartments(compartments, site));
    yield await result("reads every door", () => readAll(compartments, (id) => driver.doorState(id), ["OPEN", "CLOSED", "UNKNOWN"]));
    yield await result("reads every compartment", () =>
      readAll(compartments, (id) => driver.occupancy(id), ["OCCUPIED", "EMPTY", "UNKNOWN"]),
    );
    const readable = compartments.filter(({ compartmentId }) => safely(() => driver.doorState(compartmentId)) !== "UNKNOWN");
    yield await result("has a door sensor at least somewhere", () => {
      if (readable.length === 0) throw new Error("every door reads UNKNOWN: then no deposit opens, and no visit ends");
    });
    yield await result("takes a listener, and lets it go", () => {
      const end: unknown = driver.onChange(() => undefined);
      if (typeof end !== "function") throw new Error("onChange() must return a function that removes the listener");
      end();
    });
    yield await result("opens no door that it does not have", () => refuses(driver, after));
    for (const compartmentId of open) {
      const isThere = compartments.some((one) => one.compartmentId === compartmentId);
      yield await result(`opens ${compartmentId}, and tells when it is open and closed`, () => {
        if (!isThere) throw new Error("the cabinet has no such compartment");
        return openAndClose(driver, compartmentId, { ...options, after });
      });
    }
  } finally {
    const stopped = await result("stops", () => stopDriver(driver, after));
    yield stopped;
  }
}

async function result(what: string, check: () => unknown): Promise<DriverCheck> {
  try {
    await check();
    return { what };
  } catch (error) {
    return { what, problem: textOf(error) };
  }
}

function readAll(compartments: readonly CabinetCompartment[], read: (compartmentId: string) => unknown, readings: readonly string[]): void {
  for (const { compartmentId } of compartments) {
    const value = read(compartmentId);
    if (!readings.includes(value as string)) {
      throw new Error(`${compartmentId} reads ${JSON.stringify(value)}; a reading is ${readings.join(", ")}`);
    }
  }
}

function safely(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return "UNKNOWN";
  }
}

async function refuses(driver: CabinetDriver, after: After): Promise<void> {
  const opening = async () => {
    try {
      await driver.open("no-such-door");
    } catch {
      return;
    }
    throw new Error('open("no-such-door") must reject');
  };
  await inTime(opening, { after, timeoutMs: lockTimeoutMs, sentence: "it has not answered for 10 s" });
}

async function openAndClose(
  driver: CabinetDriver,
  compartmentId: string,
  { after, onOpen, closeMs = 60_000 }: DriverCheckOptions & { after: After },
): Promise<void> {
  /** What the sensor read at each change that was told, since the lock was pulsed or the last wait ended. */
  const seen: unknown[] = [];
  let wake = () => {};
  const end = driver.onChange((id) => {
    if (id !== compartmentId) return;
    seen.push(safely(() => driver.doorState(compartmentId)));
    wake();
  });
  const until = async (wanted: string, timeoutMs: number, sentence: string) => {
    const told = new Promise<void>((resolve) => {
      wake = () => seen.includes(wanted) && resolve();
      wake();
    });
    await inTime(() => told, { after, timeoutMs, sentence });
    seen.splice(0, seen.lastIndexOf(wanted) + 1);
  };
  try {
    await inTime(() => driver.open(compartmentId), { after, timeoutMs: lockTimeoutMs, sentence: "the lock has not answered for 10 s" });
    await until("OPEN", lockTimeoutMs, "the lock has answered, and no change of the sensor told that the door is open");
    onOpen?.(compartmentId);
    await until("CLOSED", closeMs, `no change of the sensor told within ${closeMs / 1000} s that the door was closed`);
  } finally {
    end();
  }
}
