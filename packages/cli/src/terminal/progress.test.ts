import { createFrozenClock } from "@petak/testkit";
import { describe, expect, test } from "vitest";
import { createColors } from "./colors.ts";
import { createProgress, formatMegabytes } from "./progress.ts";

function start({
  isTerminal,
  total = 100,
  columns = 80,
  unit = "sites" as string | ((amount: number) => string),
}: {
  isTerminal: boolean;
  total?: number;
  columns?: number;
  unit?: string | ((amount: number) => string);
}) {
  const clock = createFrozenClock(0);
  const written: string[] = [];
  const progress = createProgress({
    stream: { write: (text: string) => written.push(text), columns },
    isTerminal,
    colors: createColors(false),
    label: "Importing",
    total,
    unit,
    now: clock.now,
  });
  return { clock, written, progress };
}

describe("on a terminal", () => {
  test("what is over within two seconds shows nothing", () => {
    const { clock, written, progress } = start({ isTerminal: true });
    clock.advance(1_900);
    progress.update(100);
    progress.finish();
    expect(written).toEqual([]);
  });

  test("after two seconds there is a bar with rate and time left, drawn over and gone at the end", () => {
    const { clock, written, progress } = start({ isTerminal: true });
    clock.advance(1_000);
    progress.update(25);
    clock.advance(1_000);
    progress.update(50);
    expect(written).toEqual(["\r\u001b[2KImporting ━━━━━━━━━━━━──────────── 50 of 100 sites (50 %), 25/s, 2 s left"]);
    clock.advance(50);
    progress.update(51);
    expect(written).toHaveLength(1);
    clock.advance(50);
    progress.update(52);
    expect(written).toHaveLength(2);
    progress.finish();
    expect(written.at(-1)).toBe("\r\u001b[2K");
  });

  test("a slow first step does not make the time left long", () => {
    const { clock, written, progress } = start({ isTerminal: true, total: 1_000 });
    progress.update(0);
    clock.advance(10_000);
    progress.update(10);
    expect(written.at(-1)).toMatch(/ 10 of 1,000 sites \(1 %\)$/);
    clock.advance(2_000);
    progress.update(200);
    expect(written.at(-1)).toMatch(/ 200 of 1,000 sites \(20 %\), 95\/s, 9 s left$/);
    progress.finish();
  });

  test("a narrow one has no bar, and no line exceeds its width", () => {
    const { clock, written, progress } = start({ isTerminal: true, columns: 30 });
    clock.advance(2_000);
    progress.update(50);
    expect(written[0]).toBe(`\r\u001b[2K${"Importing 50 of 100 sites (50 %)".slice(0, 29)}`);
  });
});

describe("elsewhere", () => {
  test("there is a plain line after two seconds and then every ten", () => {
    const { clock, written, progress } = start({ isTerminal: false, total: 2_000_000, unit: formatMegabytes });
    for (let second = 1; second <= 25; second += 1) {
      clock.advance(1_000);
      progress.update(second * 80_000);
    }
    progress.finish();
    expect(written).toEqual([
      "Importing: 0.2 MB of 2.0 MB (8 %), 0.1 MB/s, 23 s left\n",
      "Importing: 1.0 MB of 2.0 MB (48 %), 0.1 MB/s, 13 s left\n",
      "Importing: 1.8 MB of 2.0 MB (88 %), 0.1 MB/s, 3 s left\n",
    ]);
  });

  test("without a total only the amount is shown", () => {
    const { clock, written, progress } = start({ isTerminal: false, total: 0 });
    progress.update(1_000);
    clock.advance(2_000);
    progress.update(2_000);
    expect(written).toEqual(["Importing: 2,000 sites, 500/s\n"]);
  });
});
