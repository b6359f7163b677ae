import { create } from "@bufbuild/protobuf";
import { encodeBase64url, equalInConstantTime, hashPin, isPin, readOwnToken, readPresence } from "@petak/credential";
import {
  Act,
  type Allowance,
  type Command,
  CommandOutcome,
  DeviceEventType,
  ProofKind,
  ReservationState,
  SiteLifecycle,
  SiteSchema,
} from "@petak/protocol";
import { type Cabinet, LockUncertainError } from "../cabinet/cabinet.ts";
import type { SiteClock } from "../clock.ts";
import type { CommandDecision } from "../decision/command-rules.ts";
import { type Decision, decide, type Opening, type Refusal } from "../decision/decide.ts";
import type { LockOut } from "../decision/lock-out.ts";
import { type DoorRefusal, type PersonRefusal, personRefusal } from "../decision/refusals.ts";
import type { ChosenDoor } from "../decision/reservation-rules.ts";
import type { Credential, DoorSnapshot, Visit } from "../decision/snapshot.ts";
import type { AgentLogger } from "../logger.ts";
import type { AgentStore } from "../store/agent-store.ts";
import type { After } from "../timer.ts";
import type { Challenge, Challenges } from "./challenges.ts";
import { type ListedMoves, moveListed } from "./listed-moves.ts";
import type { OutboxLimit } from "./outbox-limit.ts";
import { createPinLocks } from "./pin-locks.ts";
import { createRefusalTally } from "./refusal-tally.ts";
import { type ReportedCredential, type Reporter, reportedHash, type Unmoved } from "./reporter.ts";
import { createSerialQueue } from "./serial-queue.ts";
import type { Storage } from "./storage.ts";
import { createVisits } from "./visits.ts";

/** Result of presenting a credential. */
export type Presentation =
  | {
      readonly opened: true;
      readonly compartmentId: string;
      readonly act: Act;
      /** Number of further doors of the bundle; each opens once the previous one was closed and its parcel taken. */
      readonly doorsToCome: number;
    }
  | { readonly opened: false; readonly refusal: PersonRefusal };

export interface DoorOptions {
  siteId: string;
  store: AgentStore;
  cabinet: Cabinet;
  clock: SiteClock;
  reporter: Reporter;
  challenges: Challenges;
  storage: Storage;
  outboxLimit: OutboxLimit;
  logger: AgentLogger;
  after: After;
  /** A clock that only goes on, in ms since any instant. */
  elapsedMs: () => number;
  maxSkewMs: number;
  graceMs: number;
  /** Least time from a presentation to the refusal NOT_ACCEPTED, in ms, so that its timing reveals nothing. */
  refusalMs: number;
  /** Called after reports may have been written. */
  onReport: () => void;
}

/** The doors of a terminal. Works offline. */
export interface Door {
  /** Issues a challenge for the holder of a token. */
  challenge(): Challenge;
  /** @param counter what a store's counter does around it */
  present(credential: Credential, counter?: CounterSteps): Promise<Presentation>;
  /**
   * Takes over what a tablet of a store has decided without its agent: opens for a reservation as {@link present} does, but by what was known then. Rejects if the disk
   * does not take it.
   */
  takeOver(credential: Credential, decided: DecidedBefore, counter: CounterSteps): Promise<void>;
  /** Ends a visit at a store whose parcel has not moved, see `Visits`. Returns whether there was one. Throws if the disk does not take it. */
  endUnmoved(compartmentId: string, why: Unmoved, change: () => void): Promise<boolean>;
  /** Records and reports parcels that change hands between a courier and a store. @param change made in the same transaction */
  moveListed(listed: ListedMoves, change: () => void): Promise<void>;
  /** Reports that a parcel was shown which is not the one of the visit at a compartment. */
  wrongParcel(compartmentId: string): Promise<void>;
  /** The present input of decisions. */
  snapshot(): DoorSnapshot;
  /** Opens a door by a command, as for SERVICE. Returns the outcome; undefined if the command was refused. */
  openForCommand(command: Command, steps: CommandSteps): Promise<[CommandOutcome | undefined, string]>;
  /** Records that somebody looked into a compartment and found it empty, so that it can be used again. Throws if the sensor reports a parcel. */
  markChecked(compartmentId: string): Promise<void>;
  /** Records something at once or, if the disk does not take it, when it takes changes again. */
  record(step: () => void): Promise<void>;
  /** Hears that the disk has not taken something, by its error; throws any other. Until it takes changes again, no door opens. */
  storageFailed(error: unknown): void;
  /** Reports doubt where a parcel was recorded and the sensor shows none. */
  findMissing(): Promise<void>;
  /** Resolves when all sensor readings and refusals so far have been recorded. */
  written(): Promise<void>;
  /** Starts watching the sensors, and resumes visits that a restart interrupted. */
  start(): Promise<void>;
  /** Stops after the decision in progress. */
  stop(): Promise<void>;
}

/** Pause before the next attempt to record what the disk did not take, in ms. */
const recheckMs = 10_000;

/** What a store's counter does around a presentation. */
export interface CounterSteps {
  /** The clerk to whom the credential is shown. */
  readonly clerkId: string;
  /** Sorts the free places for a deposit, the best first. */
  sort(reservationId: string, placeIds: readonly string[]): readonly string[];
  /** Begins a hand-over, in the transaction that spends the credential for it. For a bundle it is called again for each further parcel. */
  begin(opening: CounterOpening): void;
  /** Notes a refusal, in the transaction that counts a wrong PIN if it is one. @param credentialId undefined if it was not verified */
  refused(refusal: DoorRefusal, credentialId: string | undefined): void;
}

/** A decision that was made without the agent. */
export interface DecidedBefore {
  /** When, by the site's clock. */
  readonly atMs: number;
  readonly reservationId: string;
}

/** A place that a credential opens. */
export interface CounterOpening {
  readonly compartmentId: string;
  readonly reservationId: string;
  readonly credentialId: string;
  readonly act: Act;
  /** Parcels of the credential after this one. */
  readonly parcelsToCome: number;
}

/** What happens around the opening of a door by a command. */
export interface CommandSteps {
  /** Decides, when the door's turn has come. */
  decide(): Promise<CommandDecision>;
  /** Spends the command, in the transaction before the lock is pulsed. */
  begin(): void;
  /** Reports the outcome, in the transaction of it. */
  end(outcome: CommandOutcome, refusal: string): void;
  refuse(decision: CommandDecision & { obeys: false }): void;
}

/** Makes the doors. Credentials and sensor readings are processed one at a time, so that no compartment is given away twice. */
export function createDoor(options: DoorOptions): Door {
  const { siteId, store, cabinet, clock, reporter, challenges, logger, after, storage, outboxLimit, onReport, graceMs } = options;
  const enqueue = createSerialQueue();
  const tally = createRefusalTally({ store, reporter, clock, isFull: outboxLimit.isFull, after, onReport, logger });
  const pinLocks = createPinLocks({ store, elapsedMs: options.elapsedMs, after, logger });
  const visits = createVisits({ store, cabinet, clock, reporter, logger, graceMs });
  /**
   * The bundles that are being collected, by credential id, with the time by `elapsedMs` until which the next door opens automatically. Not on disk: after a restart
   * the person may have left.
   */
  const collections = new Map<string, { credential: Credential; counter: CounterSteps | undefined; untilMs: number }>();
  const { elapsedMs } = options;
  let stopWatching: (() => void) | undefined;
  let cancelSettling: (() => void) | undefined;
  /** Whether something at the doors may not have been recorded. */
  let isBehind = false;
  /** What the disk has not taken of {@link Door.record}. */
  const owed: (() => void)[] = [];

  /** Notes that the disk did not take something. Throws any other error. */
  function notRecorded(error: unknown): void {
    storage.failed(error);
    isBehind = true;
  }

  /**
   * How to read the allowances that a decision on a credential can need. The credential is not verified yet; the decision does that, from the same claims and the
   * same hash.
   */
  async function allowancesFor(credential: Credential): Promise<() => readonly Allowance[]> {
    const { all, of, ofPin } = store.allowances;
    if ("pin" in credential) {
      const pinKey = store.pinKey();
      if (pinKey === undefined || !isPin(credential.pin)) return () => [];
      const hash = await hashPin(pinKey, credential.pin);
      const isOfBundle = () => store.bundles().some(({ pinHash }) => equalInConstantTime(hash, pinHash));
      return () => (isOfBundle() ? all() : ofPin(encodeBase64url(hash)));
    }
    const claims = await readOwnToken(credential.token);
    if (claims === undefined) return () => [];
    // A bundle has many reservations, and service asks for what is behind a door.
    return () => (claims.reservationId === "" ? all() : of(claims.reservationId));
  }

  async function takeSnapshot(credential: Credential, nowMs: number): Promise<DoorSnapshot> {
    const readAllowances = await allowancesFor(credential);
    // From here on all is read at once, so that no sync comes between.
    return snapshotWith(readAllowances(), nowMs);
  }

  function snapshotWith(allowances: readonly Allowance[], nowMs: number): DoorSnapshot {
    // Before the first boot there are no keys to verify a token with.
    const site = store.site() ?? create(SiteSchema);
    const own = allowances.map((allowance) =>
      // A clerk has it in hand, whatever the gateway doubts.
      isMissingNoMore(allowance) ? { ...allowance, state: ReservationState.DEPOSITED } : allowance,
    );
    return {
      siteId,
      // Another agent is in charge, the reports have forked, or too many wait: a parcel that went in here would not be known there.
      service:
        store.epoch.isRefused() || store.isQuarantined() || outboxLimit.isFull()
          ? { lifecycle: SiteLifecycle.MAINTENANCE, draining: false }
          : site,
      sizeClassIds: site.sizeClasses.map(({ sizeClassId }) => sizeClassId),
      trustBundle: store.trustBundle(),
      pinKey: store.pinKey(),
      allowances: own,
      bundles: store.bundles(),
      revokedServiceHashes: store.revokedServiceHashes(),
      isSpent: store.isSpent,
      toCollect: store.toCollect,
      hasEnded: store.hasEnded,
      challengeAgeMs: challenges.ageMs,
      // A grace period that began by a clock which was ahead lasts no longer than one that begins now.
      visits: store.visits().map((visit) => ({ ...visit, graceUntilMs: Math.min(visit.graceUntilMs, nowMs + graceMs) })),
      outOfService: store.commands.outOfService(),
      compartments: cabinet.compartments().map(({ compartmentId, sizeClassId }) => ({
        ...store.compartment(compartmentId),
        sizeClassId,
        door: cabinet.doorState(compartmentId),
        occupancy: cabinet.occupancy(compartmentId),
      })),
      lockOut: pinLocks.at(nowMs),
      clockTrusted: clock.isTrusted(),
      maxSkewMs: options.maxSkewMs,
    };
  }

  function isMissingNoMore({ state, reservationId }: Allowance): boolean {
    return state === ReservationState.IN_DOUBT && store.counter.parcel(reservationId)?.isFound === true;
  }

  /**
   * While the disk is full or broken, or the outbox exhausted, everybody gets the same answer and no credential is looked at: no door may open that is not spent first, and what is right must not
   * be told from what is wrong.
   */
  async function presentIfWritable(credential: Credential, counter?: CounterSteps): Promise<Presentation> {
    if (storage.canWrite()) {
      try {
        if (!outboxLimit.isExhausted()) return await present(credential, counter);
      } catch (error) {
        notRecorded(error);
      }
    }
    tally.count("STORAGE_FAILED");
    return { opened: false, refusal: personRefusal("STORAGE_FAILED") };
  }

  async function present(credential: Credential, counter: CounterSteps | undefined): Promise<Presentation> {
    const nowMs = clock.nowMs();
    const snapshot = await takeSnapshot(credential, nowMs);
    const decision = await decide(credential, snapshot, nowMs);
    useChallenge(credential);
    return decision.opens ? open(credential, decision, counter) : refuse(decision, snapshot.lockOut, counter);
  }

  /** What the gateway or a clerk has said since may be what the tablet could not know; the parcel has left by a code that was issued for it. */
  async function takeOver(credential: Credential, { atMs, reservationId }: DecidedBefore, counter: CounterSteps): Promise<void> {
    const snapshot = await takeSnapshot(credential, atMs);
    const known = {
      ...snapshot,
      allowances: [],
      bundles: snapshot.bundles.map((bundle) => ({ ...bundle, revokedCredentialHashes: [] })),
      compartments: snapshot.compartments.map((compartment) => ({ ...compartment, condition: "OK" as const })),
    };
    const decision = await decide(credential, known, atMs);
    const door = decision.opens ? decision.doors.find((one) => one.reservationId === reservationId) : undefined;
    // No tablet decides about what goes in.
    if (decision.opens && door !== undefined && decision.act !== Act.DEPOSIT)
      await open(credential, { ...decision, doors: [door] }, counter, { atMs, offline: true });
    else counter.refused(decision.opens ? "COMPARTMENT" : decision.refusal, decision.credentialId);
  }

  /** A challenge is used up by the first proof for it, valid or not. */
  function useChallenge(credential: Credential): void {
    const presence = "token" in credential && credential.presence !== undefined ? readPresence(credential.presence) : undefined;
    if (presence !== undefined) challenges.use(presence.challenge);
  }

  async function refuse(decision: Refusal, before: LockOut, counter: CounterSteps | undefined): Promise<Presentation> {
    const { lockOut, refusal, credentialId } = decision;
    const reported = by(counter, await reportedOf(decision));
    const isFull = outboxLimit.isFull();
    if (lockOut === before) {
      tally.refused(reported, refusal);
      counter?.refused(refusal, credentialId);
    } else {
      // On disk before the person hears of it: cutting the power must not give more tries.
      store.transaction(() => {
        pinLocks.save(lockOut);
        clock.mark();
        if (!isFull) reporter.refused(reported, refusal);
        counter?.refused(refusal, credentialId);
      });
      if (isFull) tally.refused(reported, refusal);
    }
    return { opened: false, refusal: personRefusal(refusal) };
  }

  /** @param later when it was decided, if that was before */
  async function open(
    credential: Credential,
    decision: Opening,
    counter: CounterSteps | undefined,
    later: Pick<ReportedCredential, "atMs" | "offline"> = {},
  ): Promise<Presentation> {
    const { credentialId, act, bundleId, doors, presence } = decision;
    const reported = { ...by(counter, await reportedOf(decision)), ...later };
    for (const [index, chosen] of sorted(decision, counter).entries()) {
      const shown = { ...reported, reservationId: chosen.reservationId, ...(presence !== undefined && { presence }) };
      const doorsToCome = bundleId === "" ? 0 : unopened(doors.slice(index + 1)).length;
      const begin = () => counter?.begin({ ...chosen, credentialId, act, parcelsToCome: doorsToCome });
      const outcome = await openOne(chosen, decision, shown, { begin });
      if (outcome === "UNCERTAIN") return lockFailed({ ...reported, reservationId: chosen.reservationId });
      if (outcome === "FAILED") continue;
      if (doorsToCome === 0) collections.delete(credentialId);
      else collections.set(credentialId, { credential, counter, untilMs: elapsedMs() + graceMs });
      return { opened: true, compartmentId: chosen.compartmentId, act, doorsToCome };
    }
    return lockFailed({ ...reported, reservationId: doors[0]?.reservationId ?? "" });
  }

  /** The doors in the order in which they are tried. Those for a deposit are alternatives. */
  function sorted({ act, doors }: Opening, counter: CounterSteps | undefined): readonly ChosenDoor[] {
    const [first] = doors;
    if (counter === undefined || act !== Act.DEPOSIT || first === undefined) return doors;
    const { reservationId } = first;
    const placeIds = doors.map(({ compartmentId }) => compartmentId);
    return counter.sort(reservationId, placeIds).map((compartmentId) => ({ compartmentId, reservationId }));
  }

  function lockFailed(reported: ReportedCredential): Presentation {
    store.transaction(() => reporter.refused(reported, "LOCK_FAILED"));
    return { opened: false, refusal: personRefusal("LOCK_FAILED") };
  }

  /**
   * Opens the next door of a bundle after one was closed and no parcel is detected inside, so that the credential need be presented only once. Only within the
   * grace period after the last opening: no door may open after the person has left. Presenting the credential again continues the collection.
   */
  async function openNextDoor(closed: Visit): Promise<void> {
    const collection = collections.get(closed.credentialId);
    if (collection === undefined) return;
    collections.delete(closed.credentialId);
    if (elapsedMs() >= collection.untilMs) return;
    const nowMs = clock.nowMs();
    const decision = await decide(collection.credential, await takeSnapshot(collection.credential, nowMs), nowMs);
    if (!decision.opens) return;
    const doors = unopened(decision.doors);
    if (doors.length > 0) await open(collection.credential, { ...decision, doors }, collection.counter);
  }

  /** The doors for which there is no visit in progress. */
  function unopened(doors: readonly ChosenDoor[]): ChosenDoor[] {
    const visits = store.visits();
    return doors.filter((door) => !visits.some(({ compartmentId }) => compartmentId === door.compartmentId));
  }

  async function openForCommand(command: Command, steps: CommandSteps): Promise<[CommandOutcome | undefined, string]> {
    const decision = await steps.decide();
    if (!decision.obeys || decision.door === undefined) {
      if (!decision.obeys) steps.refuse(decision);
      return [undefined, ""];
    }
    const { door, deadlineMs } = decision;
    const nobody = { proofKind: ProofKind.UNSPECIFIED, credentialId: command.commandId, bundleId: "", isDelegated: false };
    const opening: Opening = {
      ...{ ...nobody, opens: true, act: Act.SERVICE, reservationId: "", reopens: false, toCollect: [] },
      doors: [door],
      lockOut: pinLocks.at(clock.nowMs()),
      expiresAtMs: deadlineMs,
    };
    const reported = { ...(await reportedOf(opening)), reservationId: door.reservationId };
    const opened = await openOne(door, opening, reported, steps);
    if (opened === "OPENED") return [CommandOutcome.DONE, ""];
    const [outcome, refusal] =
      opened === "FAILED" ? ([CommandOutcome.FAILED, "LOCK_FAILED"] as const) : ([CommandOutcome.UNKNOWN, ""] as const);
    store.transaction(() => steps.end(outcome, refusal));
    return [outcome, refusal];
  }

  async function openOne(
    { compartmentId, reservationId }: ChosenDoor,
    decision: Opening,
    reported: ReportedCredential,
    steps: Pick<CommandSteps, "begin"> & Partial<Pick<CommandSteps, "end">>,
  ): Promise<"OPENED" | "FAILED" | "UNCERTAIN"> {
    const { proofKind, credentialId, act, bundleId, isDelegated, presence = "" } = decision;
    const record = store.compartment(compartmentId);
    const before = store.visits().find((visit) => visit.compartmentId === compartmentId);
    const reopenings = before === undefined ? 0 : before.reopenings + 1;
    const whose = { credentialId, proofKind, act, reservationId, bundleId, isDelegated, ...(presence !== "" && { presence }) };
    const visit = { compartmentId, ...whose, reopenings, graceUntilMs: clock.nowMs() + graceMs };
    // On disk before the lock is pulsed: the credential is spent (a bundle's for this reservation), and the visit has begun.
    store.transaction(() => {
      if (!store.isSpent(credentialId)) {
        store.spend(credentialId, decision.expiresAtMs);
        store.saveToCollect(credentialId, decision.toCollect);
      }
      store.removeToCollect(credentialId, reservationId);
      for (const other of store.visits()) {
        if (other.credentialId === credentialId && other.reservationId === reservationId) store.removeVisit(other.compartmentId);
      }
      store.saveVisit({ ...visit, phase: "OPENING" });
      pinLocks.save(decision.lockOut);
      steps.begin();
      clock.mark();
    });
    try {
      await cabinet.open(compartmentId);
    } catch (error) {
      logger.error({ compartmentId, err: error }, "the lock did not open");
      if (record.condition === "OK") store.saveCompartment({ ...record, condition: "LOCK_FAILED" });
      // Its visit goes on, so that a door that opens late has its explanation, and no second door opens for the same credential meanwhile.
      return error instanceof LockUncertainError ? "UNCERTAIN" : "FAILED";
    }
    try {
      store.transaction(() => {
        reporter.happened(DeviceEventType.DOOR_OPENED, reported, compartmentId);
        store.saveVisit({ ...visit, phase: "OPEN" });
        steps.end?.(CommandOutcome.DONE, "");
        if (record.condition === "LOCK_FAILED") store.saveCompartment({ ...record, condition: "OK" });
      });
    } catch (error) {
      // The door is open, and the visit on disk says that it was to open: what became of it is found when the disk can be written.
      notRecorded(error);
    }
    return "OPENED";
  }

  async function inspect(compartmentId: string): Promise<void> {
    const closed = await visits.inspect(compartmentId);
    if (closed !== undefined) await openNextDoor(closed);
  }

  /** Schedules the next end of a grace period, or the next attempt to record what was not recorded. */
  function scheduleSettling(): void {
    cancelSettling?.();
    const delayMs = isBehind ? recheckMs : settlingInMs();
    cancelSettling = delayMs === undefined ? undefined : after(delayMs, () => void watch(isBehind ? recheck : visits.settleAfterGrace));
  }

  function settlingInMs(): number | undefined {
    try {
      const deadlineMs = visits.nextDeadlineMs();
      return deadlineMs === undefined ? undefined : Math.min(graceMs, Math.max(0, deadlineMs - clock.nowMs()));
    } catch (error) {
      notRecorded(error);
      return recheckMs;
    }
  }

  /** Records what the disk did not take at the time. */
  async function recheck(): Promise<void> {
    if (!storage.canWrite()) return;
    isBehind = false;
    for (let [step] = owed; step !== undefined; [step] = owed) {
      step();
      owed.shift();
    }
    for (const { compartmentId } of cabinet.compartments()) await inspect(compartmentId);
    findMissing();
    await visits.settleAfterGrace();
  }

  function findMissing(): void {
    for (const { compartmentId } of cabinet.compartments()) visits.findMissing(compartmentId);
  }

  /** Processes a sensor reading. A failure is logged, since no caller waits for it. */
  async function watch(step: () => Promise<void>): Promise<void> {
    const recorded = () => step().catch(notRecorded);
    await enqueue(recorded).catch((error: unknown) => logger.error({ err: error }, "a sensor reading could not be recorded"));
    if (stopWatching !== undefined) scheduleSettling();
    onReport();
  }

  return {
    challenge: challenges.issue,
    async present(credential, counter) {
      const presentedAtMs = elapsedMs();
      const presentation = await enqueue(() => presentIfWritable(credential, counter));
      scheduleSettling();
      onReport();
      if (!presentation.opened && (presentation.refusal === "NOT_ACCEPTED" || storage.isBroken())) {
        const restMs = options.refusalMs - (elapsedMs() - presentedAtMs);
        if (restMs > 0) await new Promise<void>((resolve) => after(restMs, resolve));
      }
      return presentation;
    },
    async takeOver(credential, decided, counter) {
      await enqueue(() => takeOver(credential, decided, counter));
      scheduleSettling();
      onReport();
    },
    async endUnmoved(compartmentId, why, change) {
      const visit = await enqueue(() => visits.endUnmoved(compartmentId, why, change));
      // The person is done: the next parcel of a bundle is not brought by itself.
      if (visit !== undefined) collections.delete(visit.credentialId);
      onReport();
      return visit !== undefined;
    },
    async moveListed(listed, change) {
      await enqueue(() =>
        store.transaction(() => {
          clock.mark();
          moveListed({ store, reporter, visits }, listed);
          change();
        }),
      );
      onReport();
    },
    async wrongParcel(compartmentId) {
      await enqueue(async () => {
        const credential = await visits.credentialAt(compartmentId);
        if (credential !== undefined) tally.refused(credential, "WRONG_PARCEL");
      });
      onReport();
    },
    snapshot: () => snapshotWith(store.allowances.all(), clock.nowMs()),
    async openForCommand(command, steps) {
      const outcome = await enqueue(() => openForCommand(command, steps));
      scheduleSettling();
      onReport();
      return outcome;
    },
    async markChecked(compartmentId) {
      await enqueue(() => {
        if (cabinet.occupancy(compartmentId) === "OCCUPIED") throw new Error(`compartment '${compartmentId}' is not empty`);
        visits.clear(compartmentId);
      });
      // One more place is in service.
      onReport();
    },
    async record(step) {
      await enqueue(() => {
        try {
          step();
        } catch (error) {
          notRecorded(error);
          owed.push(step);
        }
      });
      scheduleSettling();
      onReport();
    },
    storageFailed(error) {
      notRecorded(error);
      if (stopWatching !== undefined) scheduleSettling();
    },
    findMissing: () => watch(async () => findMissing()),
    async written() {
      await enqueue(tally.flush);
      onReport();
    },
    async start() {
      stopWatching = cabinet.onChange((compartmentId) => void watch(() => inspect(compartmentId)));
      await watch(async () => {
        for (const { compartmentId } of store.visits()) await inspect(compartmentId);
        findMissing();
      });
    },
    async stop() {
      stopWatching?.();
      stopWatching = undefined;
      cancelSettling?.();
      pinLocks.stop();
      // After the presentations that wait, of which one could open a window again.
      await enqueue(() => {
        tally.stop();
        tally.flush();
      }).catch((error: unknown) => logger.error({ err: error }, "refusals could not be recorded"));
    },
  };
}

function by(counter: CounterSteps | undefined, credential: ReportedCredential): ReportedCredential {
  return counter === undefined ? credential : { ...credential, clerkId: counter.clerkId };
}

async function reportedOf(decision: Decision): Promise<ReportedCredential> {
  const { proofKind, credentialId, act = Act.UNSPECIFIED, reservationId = "", bundleId = "", isDelegated = false } = decision;
  return { proofKind, act, reservationId, bundleId, delegated: isDelegated, credentialHash: await reportedHash(credentialId) };
}
