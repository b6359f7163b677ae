import { readFileSync } from "node:fs";
import { create } from "@bufbuild/protobuf";
import { ReservationSchema, ReservationState } from "@petak/protocol";
import { describe, expect, it } from "vitest";
import { hasEnded, isAccessClosed } from "./state.ts";
import { findTransition, illegalState, requireTransition, transitions } from "./transitions.ts";
import { withTransitionsSection } from "./transitions-section.ts";

describe("the table of transitions", () => {
  it("is printed in docs/protocol.md", () => {
    const page = readFileSync(new URL("../../../docs/protocol.md", import.meta.url), "utf8");
    expect(withTransitionsSection(page)).toBe(page);
  });

  it("leaves a final state only into doubt, and after a late report of an offline site", () => {
    const { EXPIRED, CANCELLED, NO_SHOW, COLLECTED, RECALLED, IN_DOUBT, DEPOSITED } = ReservationState;
    const final: readonly ReservationState[] = [EXPIRED, CANCELLED, NO_SHOW, COLLECTED, RECALLED];
    const out = transitions.filter(({ from, to }) => final.includes(from) && to !== IN_DOUBT);
    expect(out.map(({ from, to }) => [from, to])).toEqual([[NO_SHOW, DEPOSITED]]);
  });

  it("closes access in every final state and in doubt, and in no other", () => {
    const { REJECTED, EXPIRED, CANCELLED, NO_SHOW, COLLECTED, RECALLED, IN_DOUBT } = ReservationState;
    const states = Object.values(ReservationState);
    expect(states.filter((state) => hasEnded({ state }))).toEqual(
      states.filter((state) => [REJECTED, EXPIRED, CANCELLED, NO_SHOW, COLLECTED, RECALLED].some((ended) => ended === state)),
    );
    expect(states.filter((state) => isAccessClosed({ state }))).toEqual(
      states.filter((state) => hasEnded({ state }) || state === IN_DOUBT),
    );
  });

  it("takes one place from the hold to the collection, and none before and after", () => {
    const taken = new Map<ReservationState, number>([[ReservationState.UNSPECIFIED, 0]]);
    for (const { from, to, heldChange, occupiedChange } of transitions) {
      const before = taken.get(from);
      expect(before, `state ${from} is reached before it is left`).toBeDefined();
      const after = (before ?? 0) + heldChange + occupiedChange;
      expect(taken.get(to) ?? after, `state ${to}`).toBe(after);
      taken.set(to, after);
    }
    expect(taken.get(ReservationState.COLLECTED)).toBe(0);
    expect(taken.get(ReservationState.DEPOSITED)).toBe(1);
    expect(taken.get(ReservationState.IN_DOUBT)).toBe(1);
  });

  it("tells whoever comes too late where the reservation was redirected to", () => {
    const redirected = create(ReservationSchema, { reservationId: "res_1", state: ReservationState.CANCELLED, redirectedTo: "res_2" });
    expect(() => requireTransition(redirected, ReservationState.CANCELLED)).toThrow(/is CANCELLED: it was redirected to res_2$/);
    expect(() => requireTransition(redirected, ReservationState.CONFIRMED)).toThrow(
      /is CANCELLED and cannot become CONFIRMED: it was redirected/,
    );
  });

  it("does not say that a state cannot become itself", () => {
    const cancelled = create(ReservationSchema, { reservationId: "res_1", state: ReservationState.CANCELLED });
    expect(() => requireTransition(cancelled, ReservationState.CANCELLED)).toThrow(/^reservation res_1 is CANCELLED already$/);
    expect(illegalState(cancelled, ReservationState.CANCELLED, ": it has no deadline to extend").message).toBe(
      "reservation res_1 is CANCELLED: it has no deadline to extend",
    );
  });

  it("has no way back", () => {
    expect(findTransition(ReservationState.CONFIRMED, ReservationState.HELD)).toBeUndefined();
    expect(findTransition(ReservationState.COLLECTED, ReservationState.DEPOSITED)).toBeUndefined();
  });
});
