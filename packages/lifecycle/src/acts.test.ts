import { timestampMs } from "@bufbuild/protobuf/wkt";
import { DeviceEventType, DoubtReason, EventType, HoldKind, PetakError, type Reservation, ReservationState } from "@petak/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asMade } from "./as-made.ts";
import { deadlineMsOf, deadlines, isDue, isOverdue, limitInForce, stateAt } from "./deadlines.ts";
import { passDeadline } from "./pass-deadline.ts";
import { hasEnded, namedCompartment, stateName } from "./state.ts";
import { acts } from "./testing/acts.ts";
import { dayMs, held, minuteMs, queued, report, site, startMs, terms } from "./testing/scene.ts";
import type { Transition } from "./transition.ts";
import { findTransition, transitions } from "./transitions.ts";

const S = ReservationState;
const states: readonly ReservationState[] = Object.values(S).filter((state) => state !== S.UNSPECIFIED);
const reportTypes: readonly DeviceEventType[] = Object.values(DeviceEventType);
const byReport = (before: Reservation, type: DeviceEventType, atMs = startMs) => written(report(before, type, atMs));
const byAct = (before: Reservation, name: string) => written(acts[name]?.perform(before, startMs) as Transition);
const byClock = (before: Reservation) => written(passDeadline(before, { terms, site }, limitMs(before)));

/** A reservation in each state, reached at {@link startMs}; its deadline is in the future. */
const examples = new Map<ReservationState, Reservation>();
const confirmed = byAct(held(), "confirm");
const deposited = byReport(confirmed, DeviceEventType.PARCEL_DEPOSITED);
examples
  .set(S.REQUESTED, { ...held(), state: S.REQUESTED })
  .set(S.QUEUED, queued())
  .set(S.REJECTED, byClock(queued()))
  .set(S.HELD, held())
  .set(S.EXPIRED, byClock(held()))
  .set(S.CONFIRMED, confirmed)
  .set(S.CANCELLED, byAct(confirmed, "cancel"))
  .set(S.NO_SHOW, byClock(confirmed))
  .set(S.DEPOSITED, deposited)
  .set(S.COLLECTED, byReport(deposited, DeviceEventType.PARCEL_COLLECTED))
  .set(S.RECALLED, byReport(deposited, DeviceEventType.PARCEL_RECALLED))
  .set(S.IN_DOUBT, byReport(deposited, DeviceEventType.DOUBT));

describe("every act in every state", () => {
  const cases = Object.entries(acts).flatMap(([name, act]) => states.map((state) => ({ name, act, state, shown: stateName(state) })));

  it.each(cases)("$name in state $shown is allowed, or refused with both states", ({ act, state }) => {
    const before = examples.get(state) as Reservation;
    expect(before.state).toBe(state);
    const outcome = attempt(() => act.perform(before, startMs));
    if (act.states.includes(state)) {
      expect(outcome).not.toBeInstanceOf(PetakError);
      checkTransition(before, outcome as Transition, startMs);
      return;
    }
    expect(outcome).toBeInstanceOf(PetakError);
    const { reason, metadata } = outcome as PetakError;
    expect(reason).toBe("ILLEGAL_STATE");
    expect(metadata).toMatchObject({ state: stateName(state), wanted: stateName(act.wanted ?? state) });
  });

  it.each(states.map((state) => ({ state, shown: stateName(state) })))("a report in state $shown is never refused", ({ state }) => {
    for (const type of reportTypes) {
      const before = examples.get(state) as Reservation;
      checkTransition(before, report(before, type, startMs), startMs);
    }
  });

  it.each(states.map((state) => ({ state, shown: stateName(state) })))(
    "a report in state $shown that a parcel has moved by a credential that was never issued is doubt or changes nothing",
    ({ state }) => {
      const before = examples.get(state) as Reservation;
      for (const type of [DeviceEventType.PARCEL_DEPOSITED, DeviceEventType.PARCEL_COLLECTED, DeviceEventType.PARCEL_RECALLED]) {
        const transition = report(before, type, startMs, startMs, DoubtReason.CREDENTIAL_NOT_ISSUED);
        checkTransition(before, transition, startMs);
        const isDoubt = findTransition(state, S.IN_DOUBT) !== undefined && before.sizeClassId !== "";
        expect(transition.after?.state).toBe(isDoubt ? S.IN_DOUBT : undefined);
        const [event] = transition.events;
        expect([event?.type, event?.doubtReason]).toEqual([EventType.RESERVATION_IN_DOUBT, DoubtReason.CREDENTIAL_NOT_ISSUED]);
      }
    },
  );

  it("uses every transition of the table, and no other", () => {
    const lateMs = startMs + 30 * dayMs;
    const reached = [...examples.values()].flatMap((before) => [
      ...Object.values(acts).flatMap(({ perform }) => attempt(() => perform(before, startMs))),
      ...reportTypes.flatMap((type) => [report(before, type, startMs), report(before, type, lateMs)]),
      ...(isDue(before, lateMs) ? [passDeadline(before, { terms, site }, lateMs)] : []),
    ]);
    const pairs = reached.flatMap((one) => (one instanceof PetakError || one.after === undefined ? [] : [one]));
    const moved = pairs.filter(({ before, after }) => after?.state !== before.state);
    const shown = (from: ReservationState, to: ReservationState) => `${stateName(from)} to ${stateName(to)}`;
    const expected = transitions.filter(({ from }) => from !== S.UNSPECIFIED).map(({ from, to }) => shown(from, to));
    expect(new Set(moved.map(({ before, after }) => shown(before.state, (after ?? before).state)))).toEqual(new Set(expected));
  });

  it("names the state after a passed deadline, recorded or not", () => {
    for (const [state, { next }] of deadlines) {
      const before = examples.get(state) as Reservation;
      const atMs = limitMs(before);
      expect(stateAt(before, atMs - 1)).toBe(state);
      expect(stateAt(before, atMs)).toBe(next ?? state);
      if (next === undefined) continue;
      for (const name of ["confirm", "extend by the owner", "redirect", "issue to collect"]) {
        const act = acts[name];
        if (!act?.states.includes(state)) continue;
        const refusal = attempt(() => act.perform(before, atMs));
        expect((refusal as PetakError).metadata, `${name} in state ${stateName(state)}`).toMatchObject({ state: stateName(next) });
      }
    }
  });
});

describe("the clock", () => {
  it("has a deadline exactly in the states that have one", () => {
    for (const [state, reservation] of examples) {
      expect(limitInForce(reservation) !== undefined, stateName(state)).toBe(deadlines.has(state));
      expect(deadlineMsOf(reservation), stateName(state)).toBe(deadlines.has(state) ? limitMs(reservation) : null);
    }
  });

  it("makes a parcel overdue once, until it is extended", () => {
    const overdue = byClock(deposited);
    expect([isOverdue(deposited), isOverdue(overdue)]).toEqual([false, true]);
    expect([overdue.state, isDue(overdue, limitMs(overdue) + dayMs)]).toEqual([S.DEPOSITED, false]);
    const extended = written(acts["extend by the owner"]?.perform(overdue, limitMs(overdue)) as Transition);
    expect([isOverdue(extended), isDue(extended, limitMs(extended))]).toEqual([false, true]);
    for (const type of [DeviceEventType.PARCEL_COLLECTED, DeviceEventType.PARCEL_RECALLED, DeviceEventType.DOUBT]) {
      const after = byReport(overdue, type, limitMs(overdue));
      expect([isOverdue(after), after.overdueSince]).toEqual([false, overdue.overdueSince]);
    }
  });
});

describe("a random life", () => {
  const step = fc.record({ act: fc.nat(), type: fc.constantFrom(...reportTypes), gapMs: fc.oneof(fc.nat(minuteMs), fc.nat(2 * dayMs)) });
  const first = fc.constantFrom(
    () => held(),
    () => held(startMs, HoldKind.HARD),
    () => queued(),
  );

  it("keeps counts, deadlines, revisions and events consistent, and its first response can always be rebuilt", () => {
    const names = [...Object.keys(acts), "report", "clock", "clock"];
    fc.assert(
      fc.property(first, fc.array(step, { maxLength: 40 }), (make, steps) => {
        const made = make();
        let now = made;
        let atMs = startMs;
        let deadlineMs = deadlineMsOf(made);
        for (const { act, type, gapMs } of steps) {
          atMs += gapMs;
          const name = names[act % names.length] as string;
          if (name === "clock" && !isDue(now, atMs)) continue;
          const outcome = attempt(() => {
            if (name === "clock") return passDeadline(now, { terms, site }, atMs);
            return name === "report" ? report(now, type, atMs, atMs - (gapMs % dayMs)) : (acts[name]?.perform(now, atMs) as Transition);
          });
          if (outcome instanceof PetakError) continue;
          checkTransition(now, outcome, atMs);
          if (outcome.deadlineMs !== undefined) deadlineMs = outcome.deadlineMs;
          now = outcome.after ?? now;
          // The written deadline matches the reservation's own.
          if (!hasEnded(now)) expect(deadlineMs).toBe(deadlineMsOf(now));
          // An extended wait is not undone: the response to a queued reservation is stored.
          expect(asMade(now)).toEqual({ ...made, queuedUntil: now.queuedUntil });
        }
      }),
      { numRuns: 2000 },
    );
  });
});

/** Invariants of every transition. */
function checkTransition(before: Reservation, transition: Transition, atMs: number): void {
  const { after, heldChange, occupiedChange, movedAtMs, deadlineMs, events } = transition;
  const now = after ?? before;
  expect(transition.before).toBe(before);
  const rule = findTransition(before.state, now.state);
  if (now.state !== before.state) expect(rule, `${stateName(before.state)} to ${stateName(now.state)}`).toBeDefined();
  expect(now.revision).toBe(after === undefined ? before.revision : before.revision + 1);
  // The counts follow from the state alone.
  expect([heldChange, occupiedChange]).toEqual([heldBy(now) - heldBy(before), occupiedBy(now) - occupiedBy(before)]);
  if (occupiedChange !== 0) expect(movedAtMs).toBeLessThanOrEqual(atMs);
  if (deadlineMs !== undefined && deadlines.has(now.state)) expect(deadlineMs).toBe(deadlineMsOf(now));
  if (now.state !== before.state) expect(deadlineMs).not.toBeUndefined();
  const [event, ...others] = events;
  expect(others).toEqual([]);
  expect(event).toMatchObject({ stateBefore: before.state, stateAfter: now.state, reservationRevision: now.revision });
  if (now.state !== before.state) expect(event?.type).toBe(rule?.event);
  if (event?.feeDue !== undefined) expect(event.feeDue).toBe(now.feeDue);
  if (now.state !== before.state && hasEnded(now)) expect(transition.pin).toBeNull();
  if (event?.type === EventType.PARCEL_OVERDUE) expect(isOverdue(now)).toBe(true);
  if (namedCompartment(now) !== "") expect(heldBy(now) + occupiedBy(now)).toBe(1);
}

function heldBy({ state }: Reservation): number {
  return state === S.HELD || state === S.CONFIRMED ? 1 : 0;
}

function occupiedBy({ state }: Reservation): number {
  return state === S.DEPOSITED || state === S.IN_DOUBT ? 1 : 0;
}

function written({ after }: Transition): Reservation {
  if (after === undefined) throw new Error("nothing was written");
  return after;
}

function limitMs(reservation: Reservation): number {
  const limit = limitInForce(reservation);
  if (limit === undefined) throw new Error(`no limit while ${stateName(reservation.state)}`);
  return timestampMs(limit);
}

function attempt(act: () => Transition): Transition | PetakError {
  try {
    return act();
  } catch (error) {
    if (error instanceof PetakError) return error;
    throw error;
  }
}
