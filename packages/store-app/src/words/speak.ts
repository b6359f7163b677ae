import type { Money } from "@petak/protocol";
import type { PlaceholdersOf, PlainKey, WordKey } from "./english.ts";
import type { Language } from "./languages.ts";

type Values<K extends WordKey> = K extends PlainKey ? [] : [Readonly<Record<PlaceholdersOf<K>, string | number>>];

/** Says things in one language. Digits are Latin in all of them, as on labels and places. */
export interface Speaker {
  readonly language: Language;
  /** A text, with its placeholders filled in. */
  <K extends WordKey>(key: K, ...values: Values<K>): string;
  /** A time of the day, in the store's time zone; on another day with its date. */
  time(atMs: number, nowMs: number): string;
  /** A time of the day to the second. */
  clock(atMs: number): string;
  /** A sum of money. */
  money(amount: Money): string;
  /** A month, `2026-11`. */
  month(month: string): string;
}

/**
 * Makes a speaker.
 *
 * @param timeZone IANA name. Empty: that of the device
 * @param knowsMonths whether the browser can write the language's months: Chromium cannot in Khmer, Lao and Burmese, and would write them in its own. Then they are numbers
 */
export function createSpeaker(
  language: Language,
  timeZone: string,
  knowsMonths = Intl.DateTimeFormat.supportedLocalesOf(language.tag).length > 0,
): Speaker {
  const dateLocale = knowsMonths ? `${language.tag}-u-nu-latn-ca-gregory` : "en-GB";
  const locale = `${language.tag}-u-nu-latn-ca-gregory`;
  const zone = timeZone === "" ? {} : { timeZone };
  const plural = new Intl.PluralRules(locale);
  const number = new Intl.NumberFormat(locale);
  const dayKey = new Intl.DateTimeFormat("en-CA", { ...zone, dateStyle: "short" });
  const clock = new Intl.DateTimeFormat(locale, { ...zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const dayAndClock = new Intl.DateTimeFormat(dateLocale, {
    ...zone,
    day: "numeric",
    month: knowsMonths ? "short" : "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const seconds = new Intl.DateTimeFormat(locale, { ...zone, timeStyle: "medium", hourCycle: "h23" });
  const write = (value: string | number): string => (typeof value === "number" ? number.format(value) : value);

  const say = <K extends WordKey>(key: K, ...[values]: Values<K>): string => {
    const text = language.words[key];
    const given: Readonly<Record<string, string | number>> = values ?? {};
    const isOne = typeof given.count === "number" && plural.select(given.count) === "one";
    const form = typeof text === "string" ? text : isOne ? text.one : text.other;
    return form.replaceAll(/\{(\w+)\}/g, (_, name: string) => write(given[name] ?? ""));
  };

  return Object.assign(say, {
    language,
    time: (atMs: number, nowMs: number) => (dayKey.format(atMs) === dayKey.format(nowMs) ? clock : dayAndClock).format(atMs),
    clock: (atMs: number) => seconds.format(atMs),
    money: ({ currencyCode, units, nanos }: Money) =>
      new Intl.NumberFormat(locale, { style: "currency", currency: currencyCode, trailingZeroDisplay: "stripIfInteger" }).format(
        Number(units) + nanos / 1e9,
      ),
    month: (month: string) =>
      new Intl.DateTimeFormat(dateLocale, { month: knowsMonths ? "long" : "numeric", year: "numeric", timeZone: "UTC" }).format(
        Date.parse(`${month}-01T00:00:00Z`),
      ),
  });
}
