import type { Steps } from "../../report.ts";
import type { Tick } from "./plot.ts";

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/**
 * Labels for steps of city time, at the left of each step: full hours for a day or two, then days.
 *
 * @param count the steps that are shown
 */
export function stepTicks({ hours, starts }: Steps, count: number): Tick[] {
  const span = count * hours;
  const every = [1, 2, 3, 6, 12, 24, 48, 168, 336, 672, 2688].find((each) => span / each <= 7) ?? 8760;
  return starts.slice(0, count).flatMap((start, step) => {
    const date = new Date(`${start}Z`);
    const hour = date.getUTCHours();
    const isDay = hour < hours && Math.floor(date.getTime() / 86_400_000) % Math.max(1, every / 24) === 0;
    if (every >= 24 ? !isDay : hour % every >= hours) return [];
    return [
      { at: step / count, text: every >= 12 && hour < hours ? `${days[date.getUTCDay()]} ${date.getUTCDate()}` : start.slice(11, 16) },
    ];
  });
}

/** Labels for real time from the beginning of a run. */
export function runTicks(lastMs: number): Tick[] {
  const units: readonly (readonly [ms: number, unit: string])[] = [
    [3_600_000, "h"],
    [60_000, "min"],
    [1000, "s"],
  ];
  const [unitMs, unit] = units.find(([ms]) => lastMs >= 2 * ms) ?? [1000, "s"];
  const span = Math.max(lastMs / unitMs, 1e-9);
  const power = 10 ** Math.floor(Math.log10(span / 4));
  const step = ([1, 2, 5, 10].find((factor) => span / (factor * power) <= 5) ?? 10) * power;
  return Array.from({ length: Math.floor(span / step + 1e-9) + 1 }, (_, index) => {
    const value = Number((index * step).toPrecision(6));
    return { at: value / span, text: `${value} ${unit}` };
  });
}
