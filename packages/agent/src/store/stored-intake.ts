import type { WantedIntake } from "../decision/intake-rules.ts";
import type { Facts, Numbers } from "./values.ts";

/** What an agent keeps of its site's intake. */
export interface StoredIntake {
  /** What the people of the site want. At first: everything. */
  wanted(): WantedIntake;
  saveWanted(wanted: WantedIntake): void;
  /** The intake that was reported last, see {@link intakeText}, or that the gateway has. Undefined: it is not known. */
  reported(): string | undefined;
  saveReported(text: string | undefined): void;
  /** Whether the gateway takes reports of the intake, as it said at the last boot. */
  isTaken(): boolean;
  setTaken(isTaken: boolean): void;
}

/** Makes it. */
export function createStoredIntake({ facts, numbers }: { facts: Facts; numbers: Numbers }): StoredIntake {
  return {
    wanted() {
      const text = facts.readText("wanted_intake");
      if (text === undefined) return { paused: false, inService: new Map() };
      const [paused, pausedUntilMs, inService] = JSON.parse(text) as IntakeFields;
      return { paused, ...(pausedUntilMs !== 0 && { pausedUntilMs }), inService: new Map(inService) };
    },
    saveWanted(wanted) {
      facts.writeText("wanted_intake", intakeText(wanted));
    },
    reported: () => facts.readText("reported_intake") || undefined,
    saveReported(text = "") {
      facts.writeText("reported_intake", text);
    },
    isTaken: () => numbers.read("takes_intake") === 1,
    setTaken(isTaken) {
      if ((numbers.read("takes_intake") === 1) !== isTaken) numbers.write("takes_intake", isTaken ? 1 : 0);
    },
  };
}

/** Paused; until when, 0 without an end; places in service by size class. */
type IntakeFields = [boolean, number, [string, number][]];

/** An intake as text: the same for the same intake, whatever the reason. */
export function intakeText({ paused, pausedUntilMs = 0, inService }: WantedIntake): string {
  const fields: IntakeFields = [paused, paused ? Math.floor(pausedUntilMs) : 0, [...inService].sort(([a], [b]) => (a < b ? -1 : 1))];
  return JSON.stringify(fields);
}
