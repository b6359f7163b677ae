import { burmese } from "./burmese.ts";
import { chinese } from "./chinese.ts";
import { english, type Words } from "./english.ts";
import { filipino } from "./filipino.ts";
import { indonesian } from "./indonesian.ts";
import { khmer } from "./khmer.ts";
import { lao } from "./lao.ts";
import { malay } from "./malay.ts";
import { thai } from "./thai.ts";
import { vietnamese } from "./vietnamese.ts";

/** A language that a clerk can choose. */
export interface Language {
  /** BCP 47. */
  readonly tag: string;
  /** Its name, in itself. */
  readonly name: string;
  /** Whether a native speaker has signed it off. */
  readonly isReviewed: boolean;
  readonly words: Words;
}

/** The languages, in the order of the menu. */
export const languages: readonly Language[] = [
  { tag: "en", name: "English", isReviewed: true, words: english },
  { tag: "id", name: "Bahasa Indonesia", isReviewed: false, words: indonesian },
  { tag: "ms", name: "Bahasa Melayu", isReviewed: false, words: malay },
  { tag: "th", name: "ไทย", isReviewed: false, words: thai },
  { tag: "vi", name: "Tiếng Việt", isReviewed: false, words: vietnamese },
  { tag: "fil", name: "Filipino", isReviewed: false, words: filipino },
  { tag: "km", name: "ខ្មែរ", isReviewed: false, words: khmer },
  { tag: "lo", name: "ລາວ", isReviewed: false, words: lao },
  { tag: "my", name: "မြန်မာ", isReviewed: false, words: burmese },
  { tag: "zh-Hans", name: "简体中文", isReviewed: false, words: chinese },
];

/** The language that suits best: the chosen one, then those that the browser prefers, then English. @param wanted BCP 47, the best first */
export function findLanguage(wanted: readonly (string | undefined)[]): Language {
  for (const tag of wanted) {
    if (tag === undefined) continue;
    const found = languages.find((one) => one.tag === tag) ?? languages.find((one) => one.tag.split("-")[0] === tag.split("-")[0]);
    if (found !== undefined) return found;
  }
  return languages[0] as Language;
}
