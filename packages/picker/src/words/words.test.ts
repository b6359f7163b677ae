import { expect, test } from "vitest";
import { english, type Text } from "./english.ts";
import { englishLanguage, findLanguageTag, languageTags, loadLanguage } from "./languages.ts";
import { createSpeaker } from "./speak.ts";

const placeholders = (text: Text): string[] =>
  [...new Set((typeof text === "string" ? text : `${text.one} ${text.other}`).match(/\{\w+\}/g))].sort();

test.each(languageTags)(
  "%s has each text with its placeholders, the forms of a number that it has, and no exclamation marks",
  async (tag) => {
    const { words } = await loadLanguage(tag);
    const hasOne = new Intl.PluralRules(tag).resolvedOptions().pluralCategories.includes("one");
    const keys = Object.keys(english) as (keyof typeof english)[];
    expect(Object.keys(words).sort()).toEqual(keys.toSorted());
    for (const key of keys) {
      expect([key, placeholders(words[key])]).toEqual([key, placeholders(english[key])]);
      expect([key, typeof words[key] !== "string" && !hasOne]).toEqual([key, false]);
      expect(JSON.stringify(words[key])).not.toMatch(/[!！]/);
    }
  },
);

const scripts: Readonly<Record<string, RegExp>> = {
  km: /\p{Script=Khmer}/gu,
  lo: /\p{Script=Lao}/gu,
  my: /\p{Script=Myanmar}/gu,
  ta: /\p{Script=Tamil}/gu,
  th: /\p{Script=Thai}/gu,
  zh: /\p{Script=Han}/gu,
};

test.each(languageTags)("%s is in its own script", async (tag) => {
  const own = scripts[tag] ?? /\p{Script=Latin}/gu;
  for (const [key, text] of Object.entries((await loadLanguage(tag)).words)) {
    const strange = JSON.stringify(text)
      .replaceAll(/\{\w+\}|"one"|"other"/g, "")
      .replaceAll(own, "")
      .match(/(?![\p{Script=Common}\p{Script=Inherited}])\p{L}/gu);
    expect([key, strange]).toEqual([key, null]);
  }
});

test("a language is found by any tag that means it", () => {
  expect(["zh-Hans-SG", "en_GB", "tl", "in", "TH", "xx", ""].map(findLanguageTag)).toEqual([
    "zh",
    "en",
    "fil",
    "id",
    "th",
    undefined,
    undefined,
  ]);
});

test("distances, durations, ages and times are said as people say them", () => {
  const say = createSpeaker(englishLanguage);
  expect([4, 244, 994, 996, 1234].map(say.distance)).toEqual(["10 m", "240 m", "990 m", "1 km", "1.2 km"]);
  expect(say("walk", { duration: say.duration(180) })).toBe("3 min walk");
  expect([say.duration(259_200), say.duration(3600)]).toEqual(["3 days", "1 h"]);
  expect([say.ago(20), say.ago(840)]).toEqual(["20 s ago", "14 min ago"]);
  expect([say.countdown(872), say.countdown(-3)]).toEqual(["14:32", "0:00"]);
  const wallMs = Date.UTC(2026, 10, 28, 22);
  expect([say.time(wallMs, wallMs - 3_600_000), say.time(wallMs, wallMs - 86_400_000)]).toEqual(["22:00", "Sat 22:00"]);
  expect(say.money({ currencyCode: "SGD", units: "1", nanos: 500_000_000 })).toBe("SGD 1.50".replace(" ", "\u00a0"));
  expect([say("found", { count: 1 }), say("found", { count: 12 })]).toEqual(["1 place found", "12 places found"]);
});
