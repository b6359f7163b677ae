import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Site, SiteIntakeSchema } from "@petak/protocol";
import type { Cabinet } from "../cabinet/cabinet.ts";
import type { SiteClock } from "../clock.ts";
import { type Intake, intakeAt, type WantedIntake } from "../decision/intake-rules.ts";
import type { AgentLogger } from "../logger.ts";
import type { AgentStore } from "../store/agent-store.ts";
import { intakeText } from "../store/stored-intake.ts";
import { isStorageError } from "../store/values.ts";
import type { After } from "../timer.ts";
import type { Reporter } from "./reporter.ts";

/** What the site takes in, and the reports of it. */
export interface SiteIntakes {
  /** What the site takes in now. */
  now(): Intake;
  /** Records what the people of the site want, on disk when it returns. Throws a RangeError that names what is wrong. */
  want(wanted: WantedIntake): void;
  /** Reports the intake if it is another than the one that was reported last. Throws if the disk does not take it. */
  report(): void;
  /** The same. A full disk is noted, and the next review tries again. */
  review(): void;
  stop(): void;
}

/** Most places of a size class. */
const placesMax = 1000;

/** The end of a pause is looked at this often at least, in ms, since the clock may be corrected. */
const recheckMs = 3_600_000;

/** Makes the intake of a site. */
export function createSiteIntake(options: {
  store: AgentStore;
  cabinet: Cabinet;
  clock: SiteClock;
  reporter: Reporter;
  logger: AgentLogger;
  after: After;
  /** Called after a report was written. */
  onReport: () => void;
}): SiteIntakes {
  const { store, cabinet, clock, reporter, logger, after, onReport } = options;
  let cancelEnd: (() => void) | undefined;
  let isStopped = false;

  function now(): Intake {
    const compartments = cabinet
      .compartments()
      .map(({ compartmentId, sizeClassId }) => ({ ...store.compartment(compartmentId), sizeClassId }));
    return intakeAt({ wanted: store.intake.wanted(), outOfService: store.commands.outOfService(), compartments }, clock.nowMs());
  }

  function report(): void {
    const intake = now();
    waitForEnd(intake);
    const text = intakeText(intake);
    if (!store.intake.isTaken() || store.intake.reported() === text) return;
    store.transaction(() => {
      reporter.intakeChanged(intakeMessage(intake), intake.reason);
      store.intake.saveReported(text);
    });
    onReport();
  }

  function waitForEnd({ pausedUntilMs }: Intake): void {
    cancelEnd?.();
    cancelEnd = pausedUntilMs === undefined ? undefined : after(Math.min(recheckMs, Math.max(1, pausedUntilMs - clock.nowMs())), review);
  }

  function review(): void {
    if (isStopped) return;
    try {
      report();
    } catch (error) {
      if (!isStorageError(error)) throw error;
      logger.warn({ err: error }, "what the site takes in could not be reported");
    }
  }

  return {
    now,
    report,
    review,
    want(wanted) {
      refuseInvalid(wanted, store.site());
      store.intake.saveWanted(wanted);
      review();
    },
    stop() {
      isStopped = true;
      cancelEnd?.();
    },
  };
}

function refuseInvalid({ pausedUntilMs = 0, inService }: WantedIntake, site: Site | undefined): void {
  if (!(pausedUntilMs >= 0 && pausedUntilMs <= Number.MAX_SAFE_INTEGER))
    throw new RangeError(`a pause cannot end at ${pausedUntilMs}: give ms since 1970`);
  for (const [sizeClassId, count] of inService) {
    const isWhole = Number.isInteger(count) && count >= 0 && count <= placesMax;
    if (!isWhole)
      throw new RangeError(`${count} places of size class ${sizeClassId} cannot be in service: give a whole number from 0 to ${placesMax}`);
    const known = site?.sizeClasses.map((one) => one.sizeClassId);
    if (known?.includes(sizeClassId) === false)
      throw new RangeError(`the site has no size class ${sizeClassId}: it has ${known.join(", ")}`);
  }
}

function intakeMessage({ paused, pausedUntilMs, inService }: Intake): MessageInitShape<typeof SiteIntakeSchema> {
  return {
    paused,
    ...(pausedUntilMs !== undefined && { pausedUntil: timestampFromMs(Math.floor(pausedUntilMs)) }),
    places: [...inService].map(([sizeClassId, count]) => ({ sizeClassId, inService: count })),
  };
}

/** The intake that the gateway has of a site, in the form of {@link intakeText}. */
export function recordedIntakeText({ intake }: Pick<Site, "intake">): string {
  return intakeText({
    paused: intake?.paused ?? false,
    pausedUntilMs: intake?.pausedUntil && timestampMs(intake.pausedUntil),
    inService: new Map(intake?.places.map(({ sizeClassId, inService }) => [sizeClassId, inService])),
  });
}
