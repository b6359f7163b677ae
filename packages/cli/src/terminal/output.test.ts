import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { CliFailure } from "../failure.ts";
import { createOutput, type OutputOptions } from "./output.ts";

function start(options: Partial<OutputOptions> & { isTerminal?: boolean } = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const isTTY = options.isTerminal === true;
  const output = createOutput({
    stdout: { write: (text) => out.push(text), isTTY, columns: 60 },
    stderr: { write: (text) => err.push(text), isTTY, columns: 60 },
    env: {},
    ...options,
  });
  return { output, out, err };
}

const failure = new CliFailure("site_1 does not exist.", {
  reason: "INVALID_FIELD",
  metadata: { limit: "5" },
  fieldViolations: [
    { field: "a", description: "is wrong", rule: "r" },
    { field: "b", description: "is wrong too", rule: "r" },
  ],
  result: { file: "list.csv" },
});

test("text goes to standard output, notes to standard error", () => {
  const { output, out, err } = start();
  output.print("a result");
  output.json({ hidden: true });
  output.table([{ title: "A" }], [["1"]]);
  output.note("going on");
  expect(out).toEqual(["a result\n", "A\n", "1\n"]);
  expect(err).toEqual(["going on\n"]);
});

test("as JSON there is one value on standard output and nothing else", () => {
  const { output, out } = start({ json: true });
  output.print("a result");
  output.table([{ title: "A" }], [["1"]]);
  output.json({ answer: 42 });
  expect(out).toEqual(['{\n  "answer": 42\n}\n']);
});

describe("a failure", () => {
  test("is a sentence with its reason and its fields on standard error", () => {
    const { output, out, err } = start();
    output.fail(failure);
    expect(out).toEqual([]);
    expect(err.join("")).toBe("petak: site_1 does not exist. [INVALID_FIELD]\n  a: is wrong\n  b: is wrong too\n");
  });

  test("is a JSON object on standard output, with the partial result", () => {
    const { output, out, err } = start({ json: true });
    output.fail(failure);
    expect(err).toEqual([]);
    expect(JSON.parse(out.join(""))).toEqual({
      error: {
        reason: "INVALID_FIELD",
        message: "site_1 does not exist.",
        metadata: { limit: "5" },
        fieldViolations: failure.fieldViolations,
      },
      file: "list.csv",
    });
  });

  test("of the command itself does not repeat its reason", () => {
    const { output, err } = start();
    output.fail(new CliFailure("No key given.", { reason: "usage" }));
    expect(err).toEqual(["petak: No key given.\n"]);
  });
});

describe("colours", () => {
  test.each<[string, Parameters<typeof start>[0], boolean]>([
    ["are used on a terminal", { isTerminal: true }, true],
    ["are not used elsewhere", {}, false],
    ["are not used with --no-color", { isTerminal: true, color: false }, false],
    ["are not used with NO_COLOR", { isTerminal: true, env: { NO_COLOR: "1" } }, false],
    ["are used with an empty NO_COLOR", { isTerminal: true, env: { NO_COLOR: "" } }, true],
    ["are not used on a dumb terminal", { isTerminal: true, env: { TERM: "dumb" } }, false],
  ])("%s", (_, options, isColoured) => {
    const { output } = start(options);
    expect(output.colors.red("x") !== "x").toBe(isColoured);
  });

  test("may lie within one another, and count for nothing in a table", () => {
    const { output, out } = start({ isTerminal: true });
    const { bold, dim, cyan } = output.colors;
    output.print(bold(`a ${dim("b")} c`));
    output.table([{ title: "A", paint: cyan }, { title: "B" }], [["1", dim("2")]]);
    expect(out).toEqual([
      "\u001b[1ma \u001b[2mb\u001b[22m\u001b[1m c\u001b[22m\n",
      "\u001b[2mA\u001b[22m  \u001b[2mB\u001b[22m\n",
      "\u001b[36m1\u001b[39m  \u001b[2m2\u001b[22m\n",
    ]);
  });
});

describe("a stranger's text", () => {
  /** It would clear the screen, go on in red, begin a line of its own, and turn its end around. */
  const hostile = "a\u001b[2J\u001b[31m\r\n\u009b1mpetak: done\u202egpj\ud800";
  const escaped = "a\\u001b[2J\\u001b[31m\\u000d\\u000a\\u009b1mpetak: done\\u202egpj\\ud800";

  test("commands no terminal, wherever it is printed", () => {
    for (const isTerminal of [true, false]) {
      const { output, out, err } = start({ isTerminal });
      output.print(hostile);
      output.table([{ title: "T" }], [[hostile]]);
      output.note(hostile);
      output.fail(new CliFailure(hostile, { fieldViolations: [1, 2].map(() => ({ field: hostile, description: hostile, rule: "r" })) }));
      expect(out.map((line) => stripVTControlCharacters(line).replace(/ +\n/, "\n"))).toEqual([`${escaped}\n`, "T\n", `${escaped}\n`]);
      const plain = err.map(stripVTControlCharacters);
      expect(plain).toEqual([`${escaped}\n`, `petak: ${escaped}\n`, `  ${escaped}: ${escaped}\n`, `  ${escaped}: ${escaped}\n`]);
    }
  });

  test("is the same in JSON, and commands no terminal there", () => {
    const { output, out } = start({ json: true, isTerminal: true });
    output.json({ name: hostile });
    expect(out.join("").replaceAll("\n", "")).not.toMatch(/[\p{Bidi_Control}\p{Cc}]/u);
    expect(JSON.parse(out.join(""))).toEqual({ name: hostile });
  });
});

test("the width is the terminal's, and without one nothing is cut", () => {
  expect(start({ isTerminal: true }).output.width).toBe(60);
  expect(start().output.width).toBe(Number.POSITIVE_INFINITY);
});
