import { createRandom, testSeed } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { CutOffError, InputError } from "../input/input-error.ts";
import type { Observation, RunEnded } from "./observation.ts";
import { readRunLog } from "./read-run-log.ts";
import type { RunHeader } from "./run-header.ts";
import { runHeaderLine } from "./run-header-fields.ts";
import { randomObservation } from "./testing/random-observation.ts";
import { observationLine, writeRunLog } from "./write-run-log.ts";

const header: RunHeader = {
  trace: {
    seed: 7,
    city: "Singapore",
    timeZone: "Asia/Singapore",
    startAt: "2026-11-08T16:00:00.000Z",
    durationMs: 86_400_000,
    drawn: "By hand.",
    parameters: { list: [null, 0.5] },
  },
  intentions: 300,
  gateway: "http://localhost:8080",
  protocol: "connect",
  software: "petak 0.1.0",
  pace: { clock: "driven", stepMs: 1000 },
  beganAtMs: 1_794_153_600_000,
  beganOnMs: 1_794_153_600_000,
  faults: { jammedDoors: 0.002, deadLinks: 0 },
  processes: 1,
  remarks: ["One site has no door."],
};
const end: RunEnded = { kind: "end", atMs: 5, doneMs: 1.25, end: "complete" };
const freed: Observation = { kind: "freed", intention: 1, atMs: 2, reservationId: "res_1" };

async function textOf(observations: AsyncIterable<Observation> | Iterable<Observation>, of = header): Promise<string> {
  return (await Array.fromAsync(writeRunLog(of, observations))).join("");
}

async function readAll(pieces: Iterable<string>) {
  const log = await readRunLog(pieces, "run.ndjson");
  return { header: log.header, observations: await Array.fromAsync(log.observations) };
}

describe("a run log", () => {
  it("is the same to the byte after it was read and written, whatever the pieces of the file", async () => {
    const random = createRandom(testSeed());
    const observations = [...Array.from({ length: 400 }, () => randomObservation(random)), end];
    const text = await textOf(observations);
    const pieces: string[] = [];
    for (let from = 0; from < text.length; ) {
      const to = from + random.int(1, random.bool(0.1) ? 5000 : 40);
      pieces.push(text.slice(from, to));
      from = to;
    }
    const read = await readAll(pieces);
    expect(read.observations).toEqual(observations);
    expect(read.header).toEqual(header);
    expect(await textOf(read.observations, read.header)).toBe(text);
  });

  it("is read as it comes: an endless one gives its first lines", async () => {
    function* endless() {
      yield `${runHeaderLine(header)}\n`;
      for (;;) yield `${observationLine(freed)}\n`;
    }
    let lines = 0;
    for await (const _ of (await readRunLog(endless(), "endless")).observations) if (++lines === 1000) break;
    expect(lines).toBe(1000);
  });

  it("leaves out what JSON cannot write: numbers that are not finite", async () => {
    const line = observationLine({
      kind: "metrics",
      atMs: 1,
      doneMs: 2,
      values: { up: 1, ratio: Number.NaN, most: Number.POSITIVE_INFINITY },
    });
    expect(line).toBe('{"kind":"metrics","atMs":1,"doneMs":2,"values":{"up":1}}');
  });

  it.each([
    ["between two lines", ""],
    ["within a line", '{"kind":"fre'],
  ])("of a killed run, cut off %s, can be read to its last whole line", async (_, rest) => {
    const log = await readRunLog([`${runHeaderLine(header)}\n${observationLine(freed)}\n${rest}`], "run.ndjson");
    const read: Observation[] = [];
    const failure = await collect(log.observations, read).catch((error: unknown) => error);
    expect(read).toEqual([freed]);
    expect(failure).toBeInstanceOf(CutOffError);
    expect((failure as CutOffError).message).toMatch(/^run.ndjson.*cut off/);
  });
});

async function collect(observations: AsyncIterable<Observation>, into: Observation[]): Promise<void> {
  for await (const observation of observations) into.push(observation);
}

const first = `${runHeaderLine(header)}\n`;
const withHeader = (changed: object) => `${JSON.stringify({ ...JSON.parse(runHeaderLine(header)), ...changed })}\n`;
const line = (changed: object) => `${JSON.stringify({ ...freed, ...changed })}\n`;
const violation = { kind: "violation", atMs: 0, rule: "r", intentions: [1], text: "t", evidence: [] as unknown[] };

describe("a run log that cannot be read says why, in one sentence", () => {
  it.each<[message: RegExp, text: string]>([
    [/^run.ndjson: is empty$/, ""],
    [/line 1: the line is not JSON/, "nonsense\n"],
    [/line 1: the first line is not the header of a run log: it must have "schema":"petak.run"/, '{"schema":"petak.trace","version":1}\n'],
    [/line 1, version: 2 is not the version 1, which this release reads/, withHeader({ version: 2 })],
    [/line 1: the first line is not the header of a trace/, withHeader({ trace: {} })],
    [/line 1: the field "note" is unknown/, withHeader({ note: 1 })],
    [/line 1, gateway: 1 is not a text/, withHeader({ gateway: 1 })],
    [/line 1, protocol: "soap" is not one of connect, grpc/, withHeader({ protocol: "soap" })],
    [
      /line 1, pace: .* must have a stepMs above 0 if the clock is driven, else a speed/,
      withHeader({ pace: { clock: "wall", stepMs: 5 } }),
    ],
    [/line 1, remarks: 1 is not a text/, withHeader({ remarks: [1] })],
    [/line 1, faults: .* is not an object with a number for each name/, withHeader({ faults: { jammed: "x" } })],
    [/line 2: the line is not a JSON object/, `${first}[]\n`],
    [/line 2, kind: "freid" is unknown; the kinds are site, call/, first + line({ kind: "freid" })],
    [/line 2, kind: "toString" is unknown/, first + line({ kind: "toString" })],
    [/line 2, intention: -1 is not a whole number/, first + line({ intention: -1 })],
    [/line 2, reservationId: is missing, and it is required/, first + line({ reservationId: undefined })],
    [/line 2: the field "note" is unknown/, first + line({ note: "\u001b[2J" })],
    [/line 2: the field "intention" is unknown; the fields are atMs, rule/, first + line(violation)],
    [
      /line 2, evidence: a violation cannot be the evidence of another/,
      `${first}${JSON.stringify({ ...violation, evidence: [violation] })}\n`,
    ],
    [/line 3: follows the line of kind "end", which must be the last/, `${first}${observationLine(end)}\n${line({})}`],
    [/line 2: the line is longer than 4194304 characters/, first + "x".repeat(5_000_000)],
  ])("%s", async (message, text) => {
    const failure = await readAll([text]).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InputError);
    expect(failure).not.toBeInstanceOf(CutOffError);
    expect((failure as InputError).message).toMatch(message);
  });
});
