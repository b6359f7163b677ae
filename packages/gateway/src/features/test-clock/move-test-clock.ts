import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { invalidField } from "@petak/protocol";
import { type MoveTestClockRequest, type MoveTestClockResponse, MoveTestClockResponseSchema } from "@petak/protocol/test-clock";
import type { TestClock } from "@petak/records";
import type { Sweep } from "../../sweep/sweep.ts";

export interface MoveTestClockDependencies {
  clock: TestClock;
  sweep: Pick<Sweep, "once">;
}

/** Longest step, in ms: 10 years. A longer one is probably a mistake, and the clock cannot be moved back. */
const stepMaxMs = 3653 * 86_400_000;

/**
 * Moves the test clock and applies everything that becomes due.
 *
 * @throws {PetakError} INVALID_FIELD if the time is in the past or too far ahead.
 */
export async function moveTestClock(
  { clock, sweep }: MoveTestClockDependencies,
  { time }: MoveTestClockRequest,
): Promise<MoveTestClockResponse> {
  if (time === undefined) throw new TypeError("validation accepted an empty time");
  const wantedMs = timestampMs(time);
  const nowMs = clock.now();
  // The clock has advanced since the caller read it, so a time within the last minute counts as now.
  if (wantedMs < nowMs - 60_000) {
    throw invalidField("time", `must not be before the gateway's time, ${new Date(nowMs).toISOString()}`, "test_clock.forward");
  }
  if (wantedMs > nowMs + stepMaxMs) {
    throw invalidField("time", `must be at most 10 years after the gateway's time, ${new Date(nowMs).toISOString()}`, "test_clock.step");
  }
  await clock.moveTo(wantedMs);
  let changedReservations = 0;
  // A reservation that ends may free a place for another one whose deadline has passed as well.
  for (let changed = await sweep.once(); changed > 0; changed = await sweep.once()) changedReservations += changed;
  return create(MoveTestClockResponseSchema, { time: timestampFromMs(clock.now()), changedReservations });
}
