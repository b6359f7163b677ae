import { stripVTControlCharacters } from "node:util";
import {
  type CallObserved,
  createMeasure,
  type IntentionEnded,
  type Observation,
  type Operation,
  operations,
  type RunHeader,
} from "@petak/simulator";
import { createFrozenClock } from "@petak/testkit";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createOutput } from "../terminal/output.ts";
import { textWidth } from "../terminal/text-width.ts";
import { playTerminal } from "../testing/screen.ts";
import { sparkline } from "./live-frame.ts";
import { createLiveView } from "./live-view.ts";

const startAt = "2026-11-15T16:00:00.000Z";
const beganAtMs = Date.parse(startAt);

function headerOf(pace: RunHeader["pace"], city = "Singapore"): RunHeader {
  return {
    trace: { seed: 1, city, timeZone: "Asia/Singapore", startAt, durationMs: 3_600_000, drawn: "by hand", parameters: {} },
    intentions: 1000,
    gateway: "http://127.0.0.1:50051",
    protocol: "connect",
    software: "petak",
    pace,
    beganAtMs,
    beganOnMs: beganAtMs,
    faults: {},
    processes: 1,
    remarks: [],
  };
}

/** A view of a run at 60 times the speed, over one minute, whose time the test moves. */
function start(options: { isTerminal?: boolean; columns?: number; rows?: number; env?: Record<string, string>; header?: RunHeader } = {}) {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { isTerminal = true, columns = 80, rows = 24, env = {}, header = headerOf({ clock: "wall", speed: 60 }) } = options;
  const written: string[] = [];
  const stderr = { write: (text: string) => written.push(text), isTTY: isTerminal, columns, rows };
  const clock = createFrozenClock();
  const interruption = new AbortController();
  const measure = createMeasure();
  const output = createOutput({ stdout: { write: () => {} }, stderr, env });
  const view = createLiveView({ output, signal: interruption.signal, now: clock.now });
  view.begin(header, measure);
  onTestFinished(() => view.end());
  return {
    view,
    written,
    interruption,
    observe(...observations: Observation[]) {
      for (const observation of observations) {
        measure.observe(observation);
        view.observe(observation);
      }
    },
    /** Moves the time, for one frame or line. */
    advance(ms: number) {
      clock.advance(ms);
      vi.advanceTimersByTime(isTerminal ? 250 : 1000);
    },
    screen: () => playTerminal(written.join(""), columns).lines,
  };
}

function call(intention: number, operation: Operation, doneMs: number, latencyMs: number, outcome = "OK"): CallObserved {
  const dueMs = doneMs - latencyMs;
  return { kind: "call", intention, operation, atMs: beganAtMs + doneMs, dueMs, sentMs: dueMs, doneMs, outcome };
}

function ended(intention: number, end: IntentionEnded["end"]): IntentionEnded {
  return { kind: "ended", intention, atMs: 0, end, latitude: 1, longitude: 103, askedAtMs: 0, isRedirected: false };
}

const site = {
  kind: "site",
  atMs: 0,
  siteId: "site_1",
  ref: "1",
  name: "1",
  operatorId: "op",
  isStore: false,
  hasDoor: true,
  isActive: true,
  latitude: 1,
  longitude: 103,
  timeZone: "Asia/Singapore",
  sizeClasses: [{ sizeClassId: "m", widthMm: 1, heightMm: 1, depthMm: 1, maxMassG: 1, installed: 40 }],
} as const;

/** What is observed in the first ten seconds: each second ten calls of each operation. */
function* tenSeconds(): Generator<Observation> {
  yield site;
  for (let second = 0; second < 10; second++) {
    for (let number = 1; number <= 10; number++) {
      const intention = second * 10 + number;
      for (const operation of operations) {
        const outcome = operation !== "reserve" ? "OK" : number === 1 ? "DEADLINE_EXCEEDED" : number < 4 ? "NO_PLACE_FREE" : "OK";
        yield call(intention, operation, second * 1000 + 500, operation === "find" ? 2 : 40, outcome);
      }
      if (number <= 2) yield { kind: "given", intention, atMs: 0, reservationId: `res_${intention}`, siteId: "site_1", sizeClassId: "m" };
      if (number === 2) yield { kind: "freed", intention, atMs: 0, reservationId: `res_${intention}` };
      if (number > 5) yield ended(intention, number === 6 ? "collected" : "left");
    }
  }
  const values = { process_resident_memory_bytes: 512e6, nodejs_eventloop_lag_p99_seconds: 0.0124 };
  yield { kind: "metrics", atMs: 0, doneMs: 5000, values: { ...values, process_cpu_seconds_total: 100 } };
  yield { kind: "metrics", atMs: 0, doneMs: 9000, values: { ...values, process_cpu_seconds_total: 103 } };
}

describe("a frame", () => {
  it("shows how the run goes, within 80 columns and 24 lines", () => {
    const { observe, screen, advance } = start();
    observe(...tenSeconds());
    advance(10_000);
    const lines = screen();
    expect(lines.length).toBeLessThanOrEqual(24);
    const text = lines.join("\n");
    for (const expected of [
      /^Singapore · Mon,? 16 Nov,? 00:10 · 60 times as fast$/m,
      /^━━━━━━━─{33} {2}16 %, 10 s, 50 s left$/m,
      /^Arrivals +10\/s of 10\/s intended · 0 dropped · 0 late$/m,
      /^Calls +130\/s · 1,300 so far$/m,
      /^find +10 +2\.0 ms +2\.0 ms +0 +▁{5}$/m,
      /^reserve +10 +40 ms +40 ms +10 +▁{5}$/m,
      /^Not OK +NO_PLACE_FREE 20 · DEADLINE_EXCEEDED 10$/m,
      /^Places +█{8}░{22} {2}10 of 40 in use \(25 %\)$/m,
      /^Intentions +50 open · 40 left · 10 collected$/m,
      /^Violations +none$/m,
    ]) {
      expect(text).toMatch(expected);
    }
  });

  it("shows the gateway's load where there is room", () => {
    const { observe, screen, advance } = start({ rows: 30 });
    observe(...tenSeconds());
    advance(10_000);
    expect(screen().at(-2)).toBe("Gateway     0.75 cores · 512.0 MB · event loop lag p99 12 ms");
  });

  it("shows that calls are answered no more, while the run goes on", () => {
    const { observe, screen, advance } = start();
    observe(...tenSeconds());
    advance(10_000);
    advance(30_000);
    const text = screen().join("\n");
    expect(text).toMatch(/^find +0 +– +– +0 +▁{5} {15}$/m);
    expect(text).toMatch(/^Calls +0\/s/m);
  });

  it("shows violations, an interruption and a generator that is late", () => {
    const { observe, screen, interruption, advance } = start();
    observe(call(1, "find", 100, 1), { kind: "late", intention: 1, dueMs: 0, sentMs: 3000 });
    observe({ kind: "violation", atMs: 0, rule: "place-given-twice", intentions: [1], text: "", evidence: [] });
    interruption.abort();
    advance(1000);
    const text = screen().join("\n");
    expect(text).toMatch(/^Violations +1 place-given-twice$/m);
    expect(text).toMatch(/^Interrupted: /m);
    expect(text).toMatch(/^Not valid so far: /m);
    expect(text).toMatch(/1 late \(p99 3\.0 s\)$/m);
  });

  it("follows the driven clock by the network's time, and says when only open parcels are left", () => {
    const { observe, screen, advance } = start({ header: headerOf({ clock: "driven", stepMs: 1000 }) });
    observe(...Array.from({ length: 600 }, (_, index) => ended(index + 1, "collected")));
    observe({ ...call(1, "find", 100, 1), atMs: beganAtMs + 1_800_000 });
    advance(10_000);
    expect(screen().slice(0, 2)).toEqual([expect.stringMatching(/00:30 · test clock$/), expect.stringMatching(/50 %, 10 s, 10 s left$/)]);
    observe({ ...call(1, "reserve", 100, 1), atMs: beganAtMs + 7_200_000 });
    advance(1000);
    expect(screen()[1]).toMatch(/60 %, 11 s, 8 s left, the period is over, \d+ open$/);
  });

  it.each([
    [60, 16],
    [38, 12],
    [20, 5],
  ])("fits %i columns and %i lines", (columns, rows) => {
    const { observe, screen, advance } = start({ columns, rows });
    observe(...tenSeconds());
    advance(10_000);
    const lines = screen();
    expect(lines.length).toBeLessThanOrEqual(rows);
    expect(Math.max(...lines.map(textWidth))).toBeLessThan(columns);
    expect(lines[0]).toMatch(/^Singapore/);
  });

  it("has nothing of strangers but text", () => {
    const hostile = "\u001b[2J\u202e\r\nx".repeat(20);
    const { observe, view, written, screen, advance } = start({ header: headerOf({ clock: "wall", speed: 1 }, hostile) });
    observe(call(1, "find", 100, 1, hostile), { kind: "violation", atMs: 0, rule: hostile, intentions: [], text: hostile, evidence: [] });
    advance(1000);
    expect(Math.max(...screen().map(textWidth))).toBeLessThan(80);
    view.note(hostile);
    for (const sequence of ["\u001b[2J", "\u202e"]) expect(written.join("")).not.toContain(sequence);
  });
});

describe("a live view", () => {
  it("draws at most four times a second, each frame in one write", () => {
    const { observe, written } = start();
    for (let ms = 0; ms < 2000; ms += 10) {
      observe(call(ms, "find", ms, 1));
      vi.advanceTimersByTime(10);
    }
    expect(written).toHaveLength(8);
  });

  it("leaves nothing but notes when it ends", () => {
    const { view, written, screen, advance } = start();
    advance(1000);
    view.note("The gateway has no metrics.");
    advance(1000);
    view.end();
    expect(screen()).toEqual(["The gateway has no metrics.", ""]);
    const count = written.length;
    advance(10_000);
    expect(written).toHaveLength(count);
  });

  it("has colours on a terminal, and none with NO_COLOR", () => {
    const coloured = start();
    coloured.advance(1000);
    expect(stripVTControlCharacters(coloured.written.join(""))).not.toBe(coloured.written.join(""));
    expect(coloured.written.join("")).toContain("\u001b[36m");
    const plain = start({ env: { NO_COLOR: "1" } });
    plain.advance(1000);
    for (const sequence of ["\u001b[36m", "\u001b[1m", "\u001b[39m"]) expect(plain.written.join("")).not.toContain(sequence);
  });

  it("writes a line every five seconds where there is no terminal", () => {
    const { observe, written, advance } = start({ isTerminal: false });
    observe(...tenSeconds());
    for (let second = 1; second <= 14; second++) advance(1000);
    expect(written).toHaveLength(2);
    expect(written[1]).toBe(
      "Singapore 16 %, 10 s, 50 s left; 10/s of 10/s intended, 0 dropped, 0 late; 130 calls/s, find p50 2.0 ms p99 2.0 ms, reserve p50 40 ms p99 40 ms, 10 failed; 25 % of places in use; 50 open; 0 violations\n",
    );
  });
});

it("draws the values of a sparkline by their logarithm, and gaps where there are none", () => {
  expect(sparkline([1, 2, 4, undefined, 8, 16, 256], 1)).toBe("▁▂▃ ▄▅█");
  expect(sparkline([1, 100, undefined, undefined], 2)).toBe("█ ");
  expect(sparkline([5, 5.1, 5], 1)).toBe("▁▁▁");
  expect(sparkline([undefined], 1)).toBe(" ");
});
