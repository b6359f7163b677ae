const dayMs = 86_400_000;

/**
 * Returns a function from instants to local times: ms since 1970-01-01T00:00 by the clocks of the zone, by the rules of time zones that this machine has.
 *
 * @param timeZone IANA name
 */
export function localClock(timeZone: string): (instantMs: number) => number {
  const format = new Intl.DateTimeFormat("en", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  const offsetAt = (instantMs: number): number => {
    const wholeMs = Math.floor(instantMs / 1000) * 1000;
    const parts = Object.fromEntries(format.formatToParts(wholeMs).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - wholeMs;
  };
  // Formatting is slow, and on most days the clocks are not changed.
  const offsetByDay = new Map<number, number | undefined>();
  return (instantMs) => {
    const day = Math.floor(instantMs / dayMs);
    if (!offsetByDay.has(day)) {
      const first = offsetAt(day * dayMs);
      offsetByDay.set(day, offsetAt((day + 1) * dayMs) === first ? first : undefined);
    }
    return instantMs + (offsetByDay.get(day) ?? offsetAt(instantMs));
  };
}
