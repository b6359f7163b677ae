/** A span of time with a constant offset from UTC. */
export interface OffsetSpan {
  fromMs: number;
  /** Not included. */
  toMs: number;
  /** Local time minus UTC, in ms. */
  offsetMs: number;
}

/** A time zone of the IANA database. */
export interface TimeZone {
  /** Local time minus UTC at an instant, in ms. */
  offsetMs(atMs: number): number;
  /** Splits [fromMs, toMs) into spans of constant offset, in order and without gaps. Neighbours may have the same offset. */
  spans(fromMs: number, toMs: number): OffsetSpan[];
}

const dayMs = 86_400_000;

/** Interval at which the offset is sampled, in ms. No zone has changed its offset twice within it since 1970. */
const stepMs = 6 * 3_600_000;

/** Days cached for each zone, two years; all are discarded when it is reached. */
const daysMax = 730;

const zones = new Map<string, TimeZone | undefined>();

/** The zone with an IANA name; undefined if this process does not know it. Zones are cached. */
export function findTimeZone(name: string): TimeZone | undefined {
  // Names are case-insensitive, so the cache is bounded by the number of existing zones.
  const key = name.toLowerCase();
  if (zones.has(key)) return zones.get(key);
  const zone = createTimeZone(name);
  if (zone !== undefined) zones.set(key, zone);
  return zone;
}

function createTimeZone(name: string): TimeZone | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  const days = new Map<number, OffsetSpan[]>();

  function lookUpMs(atMs: number): number {
    const [, sign, hours = "0", minutes = "0", seconds = "0"] =
      /GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(format.format(atMs)) ?? [];
    const offsetS = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
    return (sign === "-" ? -offsetS : offsetS) * 1000;
  }

  /** The first instant after `fromMs` with another offset, found by bisection to the second. */
  function changeMs(fromMs: number, toMs: number): number {
    const beforeMs = lookUpMs(fromMs);
    let [sameS, otherS] = [fromMs / 1000, toMs / 1000];
    while (otherS - sameS > 1) {
      const middleS = Math.floor((sameS + otherS) / 2);
      if (lookUpMs(middleS * 1000) === beforeMs) sameS = middleS;
      else otherS = middleS;
    }
    return otherS * 1000;
  }

  /** The spans of a UTC day. */
  function spansOfDay(day: number): OffsetSpan[] {
    const known = days.get(day);
    if (known !== undefined) return known;
    const endMs = (day + 1) * dayMs;
    const spans: OffsetSpan[] = [];
    let span = { fromMs: day * dayMs, toMs: endMs, offsetMs: lookUpMs(day * dayMs) };
    for (let atMs = span.fromMs; atMs < endMs; atMs += stepMs) {
      const offsetMs = lookUpMs(atMs + stepMs);
      if (offsetMs === span.offsetMs) continue;
      const changedMs = changeMs(atMs, atMs + stepMs);
      spans.push({ ...span, toMs: changedMs });
      span = { fromMs: changedMs, toMs: endMs, offsetMs };
    }
    if (span.fromMs < endMs) spans.push(span);
    if (days.size >= daysMax) days.clear();
    days.set(day, spans);
    return spans;
  }

  return {
    offsetMs: (atMs) => spansOfDay(Math.floor(atMs / dayMs)).find(({ toMs }) => atMs < toMs)?.offsetMs ?? 0,
    spans(fromMs, toMs) {
      const spans: OffsetSpan[] = [];
      for (let day = Math.floor(fromMs / dayMs); day * dayMs < toMs; day++) {
        for (const span of spansOfDay(day)) {
          const clipped = { ...span, fromMs: Math.max(fromMs, span.fromMs), toMs: Math.min(toMs, span.toMs) };
          if (clipped.fromMs < clipped.toMs) spans.push(clipped);
        }
      }
      return spans;
    },
  };
}
