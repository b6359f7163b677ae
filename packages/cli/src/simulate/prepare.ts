import { resolve } from "node:path";
import type { KeyFile } from "@petak/client/node";
import { type Faults, noFaults, type Pace } from "@petak/simulator";
import type { Command } from "commander";
import { CliFailure, usageFailure } from "../failure.ts";
import type { GlobalOptions, Session } from "../session.ts";
import { formatCount } from "../terminal/progress.ts";
import { testClockTime } from "./gateway-clock.ts";
import { findRunKeys, type RunKeys } from "./run-keys.ts";
import { faultsOf, type RunOptions } from "./run-options.ts";

/** A gateway that can be called, with the keys of the run. */
export interface ReadyGateway {
  readonly keys: RunKeys;
  readonly courier: KeyFile;
  /** Of its test clock, in ms since 1970. Undefined: it has none. */
  readonly testClockMs: number | undefined;
}

/**
 * Finds the keys and calls the gateway for the first time.
 *
 * @throws CliFailure or ConnectError if that is not possible.
 */
export async function readyGateway(session: Session, options: RunOptions, running: Command): Promise<ReadyGateway> {
  const { io, url } = session;
  const key = running.optsWithGlobals<GlobalOptions>().key ?? (io.env.PETAK_KEY || undefined);
  const keys = await findRunKeys({
    url,
    tls: session.tls,
    folder: session.resolve(options.keys),
    courierKey: key === undefined ? undefined : resolve(io.cwd, key),
    live: options.iKnowThisIsLive,
    cwd: io.cwd,
  });
  const courier = keys.couriers[0] as KeyFile;
  return { keys, courier, testClockMs: await testClockTime(session, courier) };
}

/** The faults of a run, by its seed. */
export function faultsOfRun(options: RunOptions, seed: number): Faults {
  return { ...noFaults, seed, repairMs: options.repairHours * 3_600_000, ...faultsOf(options) };
}

/** @throws CliFailure (usage) if several processes are wanted on a test clock: one moves it. */
export function checkClock({ processes }: RunOptions, pace: Pace): void {
  if (processes === 1 || pace.clock === "wall") return;
  throw usageFailure(
    "--processes is for the system's clock, and this run is on the gateway's test clock. Say how long it takes, or how fast it is.",
  );
}

/** @throws CliFailure if the user has interrupted the command */
export function stopIfInterrupted(signal: AbortSignal): void {
  if (signal.aborted) throw new CliFailure("Interrupted before any load was sent.", { reason: "interrupted" });
}

/** What the reader of a report must know of the places of a run. */
export function doorRemark(all: number, withDoors: number, hasDoors: boolean): string[] {
  if (!hasDoors)
    return ["The run had no doors: nothing was deposited or collected, and all reservations were cancelled or ended by their terms."];
  if (withDoors === all) return [];
  return [
    `${formatCount(all - withDoors)} of ${formatCount(all)} sites have operators whose keys the run did not have: nothing was reserved there.`,
  ];
}
