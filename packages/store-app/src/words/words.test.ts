import { expect, test } from "vitest";
import { english, type Text } from "./english.ts";
import { findLanguage, languages } from "./languages.ts";
import { createSpeaker } from "./speak.ts";

const placeholders = (text: Text): string[] =>
  [...new Set((typeof text === "string" ? text : `${text.one} ${text.other}`).match(/\{\w+\}/g))].sort();

test.each(languages)("$name has each text with its placeholders, and no others", ({ words }) => {
  const keys = Object.keys(english) as (keyof typeof english)[];
  expect(Object.keys(words).sort()).toEqual(keys.toSorted());
  for (const key of keys) expect([key, placeholders(words[key])]).toEqual([key, placeholders(english[key])]);
});

test.each(languages)("$name writes without exclamation marks, and its forms of a number are those that it has", ({ tag, words }) => {
  const hasOne = new Intl.PluralRules(tag).resolvedOptions().pluralCategories.includes("one");
  for (const [key, text] of Object.entries(words)) {
    expect([key, typeof text !== "string" && !hasOne]).toEqual([key, false]);
    expect(JSON.stringify(text)).not.toMatch(/[!！]/);
  }
});

test("a number has the form of its language, and Latin digits in all of them", () => {
  for (const language of languages) expect(createSpeaker(language, "")("parcels", { count: 12 })).toContain("12");
  const say = createSpeaker(findLanguage(["en"]), "");
  expect([say("parcels", { count: 1 }), say("parcels", { count: 1200 })]).toEqual(["1 parcel", "1,200 parcels"]);
});

test("times are the store's, with their date on another day", () => {
  const say = createSpeaker(findLanguage(["en"]), "Asia/Kuala_Lumpur");
  const atMs = Date.UTC(2026, 10, 27, 14, 5);
  expect(say.time(atMs, atMs + 60_000)).toBe("22:05");
  expect(say.time(atMs, atMs + 86_400_000)).toBe("Nov 27, 22:05");
});

test("where the browser does not know a language's months, dates are numbers and in no other language", () => {
  const say = createSpeaker(findLanguage(["lo"]), "Asia/Vientiane", false);
  const atMs = Date.UTC(2026, 10, 27, 15, 5);
  expect([say.time(atMs, atMs + 86_400_000), say.month("2026-11")]).toEqual(["27/11, 22:05", "11/2026"]);
});

test("a language is found by its tag, by a relative of it, and English is what remains", () => {
  expect(findLanguage(["en-GB"]).tag).toBe("en");
  expect(findLanguage([undefined, "xx"]).tag).toBe("en");
});

test.each(languages)("$name is in its own script, with Latin for names and digits", ({ tag, words }) => {
  const scripts: Readonly<Record<string, RegExp>> = {
    th: /\p{Script=Thai}/gu,
    km: /\p{Script=Khmer}/gu,
    lo: /\p{Script=Lao}/gu,
    my: /\p{Script=Myanmar}/gu,
    "zh-Hans": /\p{Script=Han}/gu,
  };
  const own = scripts[tag] ?? /\p{Script=Latin}/gu;
  for (const [key, text] of Object.entries(words)) {
    const strange = JSON.stringify(text)
      .replaceAll(own, "")
      .match(/(?![\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}])\p{L}/gu);
    expect([key, strange]).toEqual([key, null]);
  }
});
