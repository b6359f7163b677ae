import type { AgentLogger } from "../logger.ts";
import { type After, afterByTimer } from "../timer.ts";
import { type Cabinet, type CabinetCompartment, type DoorState, LockUncertainError, type Occupancy } from "./cabinet.ts";
import { CabinetError, inTime, LateError, textOf } from "./driver.ts";

/** How long a lock may take to answer, in ms. */
export const lockTimeoutMs = 10_000;

const doorStates: ReadonlySet<unknown> = new Set<DoorState>(["OPEN", "CLOSED", "UNKNOWN"]);
const occupancies: ReadonlySet<unknown> = new Set<Occupancy>(["OCCUPIED", "EMPTY", "UNKNOWN"]);

export interface GuardOptions {
  /** The driver's compartments, as it had them when it was started. */
  compartments: readonly CabinetCompartment[];
  logger: AgentLogger;
  /** Runs something later. Default: the process's timers. */
  after?: After;
}

/**
 * A driver from which nothing worse comes than a lock that fails: a reading that throws or is no reading is UNKNOWN, a lock that does not answer for 10 s is
 * uncertain, and so is one that fails while its door is not certainly closed.
 */
export function guardCabinet(driver: Cabinet, { compartments, logger, after = afterByTimer }: GuardOptions): Cabinet {
  const known = new Set(compartments.map(({ compartmentId }) => compartmentId));
  /** The readings that fail at present, so that each failure is logged once. */
  const failing = new Set<string>();

  function read<Reading>(what: string, compartmentId: string, readings: ReadonlySet<unknown>, reading: () => Reading): Reading | "UNKNOWN" {
    if (!known.has(compartmentId)) return "UNKNOWN";
    const name = `${what} ${compartmentId}`;
    let problem: string;
    try {
      const value = reading();
      if (readings.has(value)) {
        failing.delete(name);
        return value;
      }
      problem = `it reads ${JSON.stringify(value)}`;
    } catch (error) {
      problem = textOf(error);
    }
    if (!failing.has(name)) logger.error({ compartmentId, err: new Error(problem) }, `the ${what} of ${compartmentId} cannot be read`);
    failing.add(name);
    return "UNKNOWN";
  }

  function doorState(compartmentId: string): DoorState {
    return read("door sensor", compartmentId, doorStates, () => driver.doorState(compartmentId));
  }

  return {
    compartments: () => compartments,
    async open(compartmentId) {
      const opening = async () => await driver.open(compartmentId);
      const answer = opening();
      try {
        await inTime(() => answer, { after, timeoutMs: lockTimeoutMs, sentence: `the lock of ${compartmentId} has not answered for 10 s` });
      } catch (error) {
        const isLate = error instanceof LateError;
        if (isLate)
          answer.then(() => logger.warn({ compartmentId }, `the lock of ${compartmentId} has answered late`)).catch(() => undefined);
        else if (doorState(compartmentId) === "CLOSED") throw error;
        throw new LockUncertainError(textOf(error), { cause: error });
      }
    },
    doorState,
    occupancy: (compartmentId) => read("occupancy sensor", compartmentId, occupancies, () => driver.occupancy(compartmentId)),
    onChange(listener) {
      let end: unknown;
      try {
        end = driver.onChange((compartmentId) => {
          if (known.has(compartmentId)) listener(compartmentId);
        });
      } catch (error) {
        throw new CabinetError(`the cabinet cannot be watched: ${textOf(error)}`, { cause: error });
      }
      return () => {
        if (typeof end === "function") end();
      };
    },
  };
}
