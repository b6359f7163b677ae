import { PetakError, type Reason } from "@petak/protocol";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createMetrics } from "../../observability/metrics.ts";
import type { Ticket } from "../call/ticket.ts";
import { createAccounts } from "./accounts.ts";
import { type Admission, type CallKind, createAdmission } from "./admission.ts";
import { defaultCallLimits } from "./call-limits.ts";
import { Peer } from "./peer.ts";

let nowMs = 0;

beforeEach(() => {
  nowMs = 1_000_000;
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** Lets the time of admissions and of timers pass. */
function pass(ms: number): void {
  nowMs += ms;
  vi.advanceTimersByTime(ms);
}

function admissionWith(limits: Partial<typeof defaultCallLimits>) {
  const metrics = createMetrics({ processMetrics: false });
  return { admission: createAdmission({ limits: { ...defaultCallLimits, ...limits }, metrics, now: () => nowMs }), metrics };
}

function arrive(admission: Admission, source: string, kind: CallKind = "unary"): Ticket {
  return admission.arrive(kind, { peer: new Peer("192.0.2.7"), source, account: undefined });
}

function entered(ticket: Ticket): Ticket {
  ticket.enter();
  return ticket;
}

function refusalOf(act: () => void): PetakError {
  try {
    act();
  } catch (error) {
    if (error instanceof PetakError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

describe("concurrent calls", () => {
  test("of one caller leave others as many as it has", () => {
    const { admission, metrics } = admissionWith({ maxConcurrentCalls: 8, callerCallsGuaranteed: 1 });
    const hostile = Array.from({ length: 4 }, () => entered(arrive(admission, "par_a")));
    const refused = refusalOf(() => arrive(admission, "par_a").enter());
    expect(refused).toMatchObject({ reason: "RATE_LIMITED", retryAfterMs: 1000, metadata: { kind: "unary", limit: "4" } });
    expect(entered(arrive(admission, "par_b"))).toBeDefined();
    hostile[0]?.leave();
    hostile[0]?.leave();
    expect(metrics.inHand.unary).toBe(4);
  });

  test("are OVERLOADED only when the gateway has as many as it handles", () => {
    const { admission } = admissionWith({ maxConcurrentCalls: 2 });
    for (const caller of ["par_a", "par_b"]) arrive(admission, caller).enter();
    expect(refusalOf(() => arrive(admission, "par_c").enter())).toMatchObject({ reason: "OVERLOADED", metadata: { limit: "2" } });
  });

  test("count for an address until their caller is known, and then for the caller", () => {
    const { admission, metrics } = admissionWith({ maxConcurrentCalls: 8, callerCallsGuaranteed: 1, callerCallsMax: 2 });
    const tickets = ["par_a", "par_a", "par_b"].map((caller) => {
      const ticket = entered(arrive(admission, "192.0.2.7"));
      ticket.identify(caller);
      return ticket;
    });
    const third = entered(arrive(admission, "192.0.2.7"));
    expect(refusalOf(() => third.identify("par_a")).reason).toBe("RATE_LIMITED");
    for (const ticket of [...tickets, third]) ticket.leave();
    expect(metrics.inHand.unary).toBe(0);
    expect([...admission.accounts.all()].map(({ unary }) => unary)).toEqual([0, 0, 0]);
  });

  test("of one caller run a few at a time, in order, and do not delay others", async () => {
    const { admission } = admissionWith({ callerCallsRunning: 1 });
    const ran: string[] = [];
    const [first, second, third, fourth] = ["1", "2", "3", "4"].map((name) => {
      const ticket = entered(arrive(admission, "par_a"));
      const waiting = ticket.start();
      void (waiting ?? Promise.resolve()).then(() => ran.push(name));
      return ticket;
    });
    expect(entered(arrive(admission, "par_b")).start()).toBeUndefined();
    await Promise.resolve();
    expect(ran).toEqual(["1"]);
    // Its caller gave it up while it waited.
    second?.leave();
    // Its caller gave the first up too, but its handler still runs.
    first?.leave();
    await vi.advanceTimersByTimeAsync(10);
    expect(ran).toEqual(["1"]);
    first?.pause();
    await vi.waitFor(() => expect(ran).toEqual(["1", "3"]));
    for (const ticket of [third, fourth]) {
      ticket?.pause();
      ticket?.leave();
    }
    pass(1);
    expect(entered(arrive(admission, "par_a")).start()).toBeUndefined();
  });

  test("that were given up leave nothing in memory, and do not begin", () => {
    const { admission } = admissionWith({ callerCallsRunning: 1 });
    const running = entered(arrive(admission, "par_a"));
    void running.start();
    const left = Array.from({ length: 5 }, () => entered(arrive(admission, "par_a")));
    for (const ticket of left) {
      void ticket.start();
      ticket.leave();
    }
    expect(admission.accounts.of("par_a").waiting.size).toBe(0);
    expect(refusalOf(() => void left[0]?.start()).reason).toBe("CANCELED");
  });

  test("also streams begin a few at a time, and one that has begun holds up no other", async () => {
    const { admission } = admissionWith({ callerCallsRunning: 1 });
    const first = entered(arrive(admission, "par_a", "stream"));
    expect(first.start()).toBeUndefined();
    const second = entered(arrive(admission, "par_a", "stream"));
    let hasBegun = false;
    void second.start()?.then(() => {
      hasBegun = true;
    });
    first.pause();
    expect(hasBegun).toBe(false);
    await vi.waitFor(() => expect(hasBegun).toBe(true));
    expect([...admission.accounts.all()].map(({ stream, running }) => ({ stream, running }))).toEqual([{ stream: 2, running: 1 }]);
  });

  test("of one caller that end at once begin a few at a time in each turn of the event loop, so that others get theirs in between", async () => {
    const { admission } = admissionWith({ callerCallsRunning: 2 });
    const ran: string[] = [];
    const call = (caller: string, name: string) => {
      const ticket = entered(arrive(admission, caller));
      const run = () => {
        ran.push(name);
        ticket.pause();
        ticket.leave();
      };
      const waiting = ticket.start();
      if (waiting === undefined) run();
      else void waiting.then(run);
    };
    for (let number = 1; number <= 5; number += 1) call("par_a", `a${number}`);
    call("par_b", "b");
    expect(ran).toEqual(["a1", "a2", "b"]);
    await vi.waitFor(() => expect(ran).toEqual(["a1", "a2", "b", "a3", "a4", "a5"]));
  });
});

describe("refusals", () => {
  const refusal = "CREDENTIALS_MALFORMED";

  test("are told at once, and beyond a second's worth one after the other", () => {
    const { admission } = admissionWith({ callerRefusalsPerSecond: 10 });
    const told: number[] = [];
    const refuse = () =>
      arrive(admission, "192.0.2.7").refuse(
        refusal,
        () => told.push(nowMs - 1_000_000),
        () => {},
      );
    for (let count = 0; count < 13; count += 1) refuse();
    expect(told).toEqual(Array.from({ length: 10 }, () => 0));
    for (let step = 0; step < 6; step += 1) pass(50);
    expect(told.slice(10)).toEqual([100, 200, 300]);
    // Another caller is told at once.
    let other = 0;
    arrive(admission, "192.0.2.8").refuse(
      refusal,
      () => (other += 1),
      () => {},
    );
    expect(other).toBe(1);
  });

  test("of a caller that has gone are forgotten", () => {
    const { admission } = admissionWith({ callerRefusalsPerSecond: 1 });
    const told: string[] = [];
    const refuse = (name: string) =>
      arrive(admission, "par_a").refuse(
        refusal,
        () => told.push(name),
        () => {},
      );
    refuse("1");
    refuse("2")?.();
    refuse("3");
    pass(5000);
    expect(told).toEqual(["1", "3"]);
  });

  test("beyond what may wait end their connections", () => {
    const { admission } = admissionWith({ callerRefusalsPerSecond: 1 });
    let closed = 0;
    for (let count = 0; count < 4096 + 3; count += 1) {
      arrive(admission, `192.0.2.${count % 7}`).refuse(
        refusal,
        () => {},
        () => (closed += 1),
      );
    }
    // Each of the seven is told one at once.
    expect(closed).toBe(0);
    for (let count = 0; count < 7; count += 1)
      arrive(admission, "192.0.2.1").refuse(
        refusal,
        () => {},
        () => (closed += 1),
      );
    expect(closed).toBe(3);
  });

  test("of calls that had begun are told at once, however many, unless they had no share left", () => {
    const { admission } = admissionWith({ callerRefusalsPerSecond: 1 });
    const told: string[] = [];
    const fail = (reason: Reason, name: string, hasBegun = true) => {
      const ticket = entered(arrive(admission, "par_a"));
      if (hasBegun) expect(ticket.start()).toBeUndefined();
      ticket.pause();
      ticket.refuse(
        reason,
        () => told.push(name),
        () => {},
      );
    };
    for (let count = 0; count < 3; count += 1) fail("SITE_NOT_FOUND", "failed");
    for (let count = 0; count < 2; count += 1) fail("RATE_LIMITED", "limited");
    fail("MALFORMED_MESSAGE", "unread", false);
    expect(told).toEqual(["failed", "failed", "failed", "limited"]);
    pass(2000);
    expect(told.slice(4)).toEqual(["limited", "unread"]);
  });
});

test("health checks of one connection are not delayed by another one from the same address", () => {
  const { admission } = admissionWith({});
  const [hostile, supervisor] = [new Peer("127.0.0.1"), new Peer("127.0.0.1")];
  let answered = 0;
  for (let count = 0; count < 100; count += 1)
    admission.takeTurn(
      hostile,
      () => (answered += 1),
      () => {},
    );
  expect(answered).toBe(5);
  admission.takeTurn(
    supervisor,
    () => (answered += 1),
    () => {},
  );
  expect(answered).toBe(6);
});

test("an account that is used often is not forgotten for others that are made up", () => {
  const accounts = createAccounts(3);
  const busy = accounts.of("par_a");
  busy.refusals.dueMs = 1;
  for (let count = 0; count < 10; count += 1) {
    accounts.of(`192.0.2.${count}`);
    expect(accounts.of("par_a")).toBe(busy);
  }
  expect(accounts.size).toBe(3);
});
