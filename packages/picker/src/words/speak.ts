import type { Money } from "@petak/protocol";
import type { JsonOf } from "../gateway/json-of.ts";
import type { PlaceholdersOf, WordKey } from "./english.ts";
import type { Language } from "./languages.ts";

type Values<K extends WordKey> = [PlaceholdersOf<K>] extends [never] ? [] : [Readonly<Record<PlaceholdersOf<K>, string | number>>];

/** The units of durations, the longest first. */
const units = [
  ["days", 86_400],
  ["hours", 3600],
  ["minutes", 60],
  ["seconds", 1],
] as const;

/** Says things in one language. Digits are Latin in all of them, as on doors and labels. */
export interface Speaker {
  /** BCP 47. */
  readonly tag: string;
  /** A text, with its placeholders filled in. */
  <K extends WordKey>(key: K, ...values: Values<K>): string;
  /** A distance, rounded to 10 m below 1 km, and to 100 m beyond. */
  distance(metres: number): string;
  /** A duration of at least a second in its largest whole unit, rounded to it. Its words are our own: browsers lack those of several languages. */
  duration(seconds: number): string;
  /** How long ago something was, e.g. `20 s ago`. */
  ago(seconds: number): string;
  /** What is left, e.g. `14:32`. */
  countdown(seconds: number): string;
  /** A time of a site's clock; on another day with the day, where the browser does not know the language with the date in digits. @param wallMs ms as if the clock were in UTC */
  time(wallMs: number, nowWallMs: number): string;
  money(amount: JsonOf<Money>): string;
  number(value: number): string;
}

/** Makes a speaker. */
export function createSpeaker({ tag, words }: Language): Speaker {
  const locale = `${tag}-u-nu-latn-ca-gregory`;
  const plural = new Intl.PluralRules(locale);
  const number = new Intl.NumberFormat(locale);
  const clock = new Intl.DateTimeFormat(locale, { timeZone: "UTC", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const isKnown = Intl.DateTimeFormat.supportedLocalesOf(tag).length > 0;
  const dayParts = isKnown ? ({ weekday: "short" } as const) : ({ day: "2-digit", month: "2-digit" } as const);
  const dayAndClock = new Intl.DateTimeFormat(isKnown ? locale : "en-GB", {
    timeZone: "UTC",
    ...dayParts,
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const inUnit = (value: number, unit: string, fractionDigits = 0): string =>
    new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: fractionDigits }).format(value);

  const say = <K extends WordKey>(key: K, ...[values]: Values<K>): string => {
    const text = words[key];
    const given: Readonly<Record<string, string | number>> = values ?? {};
    const isOne = typeof given.count === "number" && plural.select(given.count) === "one";
    const form = typeof text === "string" ? text : isOne ? text.one : text.other;
    return form.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      const value = given[name] ?? "";
      return typeof value === "number" ? number.format(value) : value;
    });
  };

  const duration = (seconds: number): string => {
    const whole = Math.max(1, Math.round(seconds));
    const [unit, length] = units.find(([, each]) => whole >= each) ?? ["seconds", 1];
    return say(unit, { count: Math.round(whole / length) });
  };

  return Object.assign(say, {
    tag,
    distance: (metres: number) =>
      metres < 995 ? inUnit(Math.max(10, Math.round(metres / 10) * 10), "meter") : inUnit(metres / 1000, "kilometer", 1),
    duration,
    ago: (seconds: number) => say("ago", { duration: duration(seconds) }),
    countdown(seconds: number) {
      const whole = Math.max(0, Math.ceil(seconds));
      return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
    },
    time: (wallMs: number, nowWallMs: number) =>
      (Math.floor(wallMs / 86_400_000) === Math.floor(nowWallMs / 86_400_000) ? clock : dayAndClock).format(wallMs),
    money({ currencyCode = "", units = "0", nanos = 0 }: JsonOf<Money>) {
      const style = { style: "currency", currency: currencyCode, trailingZeroDisplay: "stripIfInteger" } as const;
      return new Intl.NumberFormat(locale, style).format(Number(units) + nanos / 1e9);
    },
    number: (value: number) => number.format(value),
  });
}
