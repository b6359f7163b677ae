import { english, type Words } from "./english.ts";

/** A language, with its texts. */
export interface Language {
  /** BCP 47. */
  readonly tag: string;
  readonly words: Words;
}

/** English is always there; each of the others is loaded when it is wanted. */
const loaders: Readonly<Record<string, () => Promise<Words>>> = {
  en: async () => english,
  fil: async () => (await import("./filipino.ts")).filipino,
  id: async () => (await import("./indonesian.ts")).indonesian,
  km: async () => (await import("./khmer.ts")).khmer,
  lo: async () => (await import("./lao.ts")).lao,
  ms: async () => (await import("./malay.ts")).malay,
  my: async () => (await import("./burmese.ts")).burmese,
  ta: async () => (await import("./tamil.ts")).tamil,
  th: async () => (await import("./thai.ts")).thai,
  vi: async () => (await import("./vietnamese.ts")).vietnamese,
  zh: async () => (await import("./chinese.ts")).chinese,
};

/** The tags of all languages. */
export const languageTags: readonly string[] = Object.keys(loaders);

/** Tags that name a language of the table in another way. */
const aliases: Readonly<Record<string, string>> = { in: "id", tl: "fil" };

/** Which language is meant by a tag such as `zh-Hans-SG` or `en_GB`. Undefined: none that the picker has. */
export function findLanguageTag(tag: string): string | undefined {
  const primary = tag.toLowerCase().split(/[-_]/)[0] ?? "";
  const known = aliases[primary] ?? primary;
  return Object.hasOwn(loaders, known) ? known : undefined;
}

/** Loads a language. @param tag one of {@link languageTags} @throws if its file cannot be loaded */
export async function loadLanguage(tag: string): Promise<Language> {
  return { tag, words: (await loaders[tag]?.()) ?? english };
}

/** What is spoken before anything is loaded. */
export const englishLanguage: Language = { tag: "en", words: english };
