import { createRandom, testSeed } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { playTerminal } from "../testing/screen.ts";
import { createColors } from "./colors.ts";
import { createLiveArea } from "./live-area.ts";

function start(size: { columns: number; rows: number } = { columns: 20, rows: 6 }) {
  const written: string[] = [];
  const stream = { write: (text: string) => written.push(text), ...size };
  return { stream, written, area: createLiveArea(stream), screen: () => playTerminal(written.join(""), size.columns).lines };
}

describe("a live area", () => {
  it("replaces its lines in one write, and ends below them", () => {
    const { area, written, screen } = start();
    area.draw(["one", "two", "three"]);
    area.draw(["1", "", "a longer line"]);
    expect(screen()).toEqual(["1", "", "a longer line", ""]);
    area.draw(["x"]);
    expect(screen()).toEqual(["x", ""]);
    expect(written).toHaveLength(3);
  });

  it("shows the last lines and what was printed above, whatever was drawn before", () => {
    const random = createRandom(testSeed());
    const { area, screen } = start();
    const printed: string[] = [];
    let drawn: string[] = [];
    for (let step = 0; step < 200; step++) {
      const line = () => "abcdefghijklmnopqrs".slice(0, random.int(0, 19));
      const act = random.pick(["draw", "draw", "print", "clear"]);
      if (act === "draw") {
        drawn = Array.from({ length: random.int(0, 5) }, line);
        area.draw(drawn);
      } else if (act === "print") {
        printed.push(line());
        area.print(printed.at(-1) ?? "");
      } else {
        drawn = [];
        area.clear();
      }
      expect(screen()).toEqual([...printed, ...drawn, ""]);
    }
  });

  it("cuts what does not fit, so that no line wraps and the first is not lost", () => {
    const { area, screen } = start({ columns: 10, rows: 4 });
    area.draw(["0123456789", "012345678", "third", "fourth", "fifth"]);
    expect(area.size()).toEqual({ columns: 9, rows: 3 });
    expect(screen()).toEqual(["01234567…", "012345678", "third", ""]);
  });

  it("finds its beginning when the terminal becomes narrower and wraps its lines", () => {
    const { area, stream, written } = start({ columns: 20, rows: 10 });
    area.draw(["0123456789012345678", "ab"]);
    stream.columns = 10;
    area.draw(["cd"]);
    expect(written.at(-1)?.startsWith("\r\u001b[3A")).toBe(true);
    const narrow = playTerminal(written.join(""), 10).lines;
    expect(narrow).toEqual(["cd", ""]);
  });

  it("escapes what a stranger wrote, and keeps colours", () => {
    const { area, written, screen } = start({ columns: 60, rows: 6 });
    const { red } = createColors(true);
    area.draw([red("a\u001b[2J\u001b[5Ab\r\n")]);
    area.print("\u001b]0;title\u0007");
    expect(written[0]).toContain("\u001b[31m");
    expect(screen()).toEqual(["\\u001b]0;title\\u0007", "a\\u001b[2J\\u001b[5Ab\\u000d\\u000a", ""]);
  });
});
