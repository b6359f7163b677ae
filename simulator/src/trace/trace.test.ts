import { createRandom, testSeed } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { InputError } from "../input/input-error.ts";
import { cutHeader, cutIntentions } from "./cut-trace.ts";
import type { TraceHeader } from "./header.ts";
import { headerLine } from "./header.ts";
import type { Intention } from "./intention.ts";
import { readTrace } from "./read-trace.ts";
import { randomIntention } from "./testing/random-intention.ts";
import { writeTrace } from "./write-trace.ts";

const header: TraceHeader = {
  seed: 7,
  city: "Singapore",
  timeZone: "Asia/Singapore",
  startAt: "2026-11-08T16:00:00.000Z",
  durationMs: 86_400_000,
  drawn: "By hand.",
  parameters: { parcelsPerDay: 3, saleDays: { "2026-11-11": 4 }, list: [null, true, 0.5] },
};

async function textOf(intentions: AsyncIterable<Intention> | Iterable<Intention>, of = header): Promise<string> {
  return (await Array.fromAsync(writeTrace(of, intentions))).join("");
}

async function readAll(text: string | Iterable<string>, file = "city.ndjson") {
  const trace = await readTrace(typeof text === "string" ? [text] : text, file);
  return { header: trace.header, intentions: await Array.fromAsync(trace.intentions) };
}

describe("a trace", () => {
  it("is the same to the byte after it was read and written, whatever the pieces of the file", async () => {
    const random = createRandom(testSeed());
    let atMs = 0;
    const intentions = Array.from({ length: 300 }, (_, index) => {
      atMs += random.int(0, 200_000);
      return randomIntention(random, (index + 1) * random.int(1, 1) + index * 2, atMs);
    });
    const text = await textOf(intentions);
    const pieces: string[] = [];
    for (let from = 0; from < text.length; ) {
      const to = from + random.int(1, random.bool(0.1) ? 5000 : 40);
      pieces.push(text.slice(from, to));
      from = to;
    }
    const read = await readAll(pieces);
    expect(read.intentions).toEqual(intentions);
    expect(read.header).toEqual(header);
    expect(await textOf(read.intentions, read.header)).toBe(text);
  });

  it("becomes canonical when written, in whatever order and detail its fields were", async () => {
    const plain = '{"id":1,"atMs":5,"person":"p","latitude":1.3,"longitude":103.8,"stayMs":null}\n';
    const wordy =
      '{ "stayMs": null, "longitude": 103.80000000001, "looks": 1, "latitude": 1.3, "person": "p", "atMs": 5, "id": 1, "massG": 1000 }\n';
    const { intentions } = await readAll(`${headerLine(header)}\n${wordy}`);
    expect(await textOf(intentions)).toBe(`${headerLine(header)}\n${plain}`);
  });

  it("can be cut: what begins in the period keeps its id and what follows, and counts from the period's start", async () => {
    const random = createRandom(testSeed());
    const intentions = [0, 999, 1000, 1999, 2000].map((atMs, index) => ({
      ...randomIntention(random, index + 1, atMs),
      stayMs: 86_400_000,
    }));
    const startMs = Date.parse(header.startAt);
    const period = { fromMs: startMs + 1000, toMs: startMs + 2000 };
    const cut = await Array.fromAsync(cutIntentions(intentions, header.startAt, period));
    expect(cut).toEqual([
      { ...intentions[2], atMs: 0 },
      { ...intentions[3], atMs: 999 },
    ]);
    const cutTo = cutHeader(header, period);
    expect(cutTo).toMatchObject({ startAt: "2026-11-08T16:00:01.000Z", durationMs: 1000, seed: 7 });
    expect((await readAll(await textOf(cut, cutTo))).intentions).toEqual(cut);
    for (const [fromMs, toMs] of [
      [-1, 1000],
      [5, 5],
      [0, 86_400_001],
    ] as const) {
      expect(() => cutHeader(header, { fromMs: startMs + fromMs, toMs: startMs + toMs })).toThrow(RangeError);
    }
  });

  it("is read as it comes: an endless one gives its first lines", async () => {
    function* endless() {
      yield `${headerLine(header)}\n`;
      for (let id = 1; ; id++) yield `{"id":${id},"atMs":0,"person":"p","latitude":0,"longitude":0,"stayMs":0}\n`;
    }
    const { intentions } = await readTrace(endless(), "endless");
    for await (const { id } of intentions) if (id === 1000) break;
  });
});

const line = (changed: object) => `${JSON.stringify({ id: 1, atMs: 0, person: "p", latitude: 1, longitude: 1, stayMs: 5, ...changed })}\n`;
const withHeader = (changed: object) => `${JSON.stringify({ ...JSON.parse(headerLine(header)), ...changed })}\n`;
const first = `${headerLine(header)}\n`;

describe("a trace that cannot be read says why, in one sentence", () => {
  it.each<[text: string, message: RegExp]>([
    ["", /^city.ndjson: is empty$/],
    ["nonsense\n", /line 1: the line is not JSON/],
    ['{"schema":"other"}\n', /line 1: the first line is not the header of a trace: it must have "schema":"petak.trace"/],
    [withHeader({ version: 2 }), /line 1, version: 2 is not the version 1/],
    [withHeader({ note: 1 }), /line 1: the header's field "note" is unknown/],
    [withHeader({ timeZone: "Mars/Base" }), /line 1, timeZone: "Mars\/Base" is not the IANA name/],
    [withHeader({ startAt: "2026-11-09T00:00:00+08:00" }), /line 1, startAt: .* is not an instant in UTC/],
    [withHeader({ seed: -1 }), /line 1, seed: -1 is not a whole number from 0/],
    [withHeader({ durationMs: 0 }), /line 1, durationMs: 0 is not/],
    [withHeader({ drawn: "" }), /line 1, drawn: "" is not a text/],
    [withHeader({ city: "\u202eetis" }), /line 1, city: "\\u202eetis" is not a text of 1 to 100 characters without control/],
    [withHeader({ parameters: [] }), /line 1, parameters: \[\] is not an object/],
    [`${first}[]\n`, /line 2: the line is not a JSON object/],
    [first + line({}).trim(), /line 2: the last line has no end: the file is cut off/],
    [first + "x".repeat(70_000), /line 2: the line is longer than 65536 characters/],
    [first + line({ latitude: 91 }), /line 2, latitude: 91 is not a number from -90 to 90 \(degrees\)/],
    [first + line({ massG: 0.5 }), /line 2, massG: 0.5 is not a whole number from 1 to 1000000 \(g\)/],
    [first + line({ purpose: "GIFT" }), /line 2, purpose: "GIFT" is not one of DELIVERY, RETURN, FIRST_MILE/],
    [first + line({ person: "\u001b[2J" }), /line 2, person: "\\u001b\[2J" is not 1 to 40 printable ASCII/],
    [first + line({ widthMm: null }), /line 2, widthMm: null is not a whole number/],
    [first + line({ weight: 1 }), /line 2: the field "weight" is unknown/],
    [first + line({ stayMs: undefined }), /line 2, stayMs: is missing, and it is required/],
    [first + line({ atMs: 86_400_000 }), /line 2, atMs: 86400000 is not below the header's durationMs, 86400000/],
    [first + line({ atMs: 9 }) + line({ id: 2, atMs: 8 }), /line 3, atMs: 8 follows 9, but lines are in order of time: sort them/],
    [first + line({}) + line({}), /line 3, id: 1 follows 1, but ids increase/],
  ])("%j", async (text, message) => {
    const failure = await readAll(text).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InputError);
    expect((failure as InputError).message).toMatch(message);
  });
});
