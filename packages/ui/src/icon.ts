import { html, type TemplateResult } from "lit";

/** The lines of each icon, in a square of 24 by 24. */
const lines = {
  scan: "M3 8V5a2 2 0 0 1 2-2h3M16 3h3a2 2 0 0 1 2 2v3M21 16v3a2 2 0 0 1-2 2h-3M8 21H5a2 2 0 0 1-2-2v-3M3 12h18",
  accept: "M12 3v12M7 10l5 5 5-5M4 21h16",
  return: "M9 14 4 9l5-5M4 9h11a5 5 0 0 1 0 10h-3",
  give: "M12 15V3M7 8l5-5 5 5M4 21h16",
  back: "M15 5l-7 7 7 7",
  done: "M5 13l5 5 9-11",
  problem: "M12 4 2.5 20h19zM12 10v4M12 17v.5",
  fact: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5M12 7.5v.5",
  wait: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2",
  camera: "M4 8h3l2-3h6l2 3h3v11H4zM12 16.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7z",
  light: "M9 18h6M10 21h4M12 3a6 6 0 0 0-4 10c1 1 1 2 1 3h6c0-1 0-2 1-3a6 6 0 0 0-4-10z",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c0-4 3.500-6 8-6s8 2 8 6",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5",
} as const;

/** The name of an icon. */
export type IconName = keyof typeof lines;

/** An icon beside words that say the same. @param sizePx its width and height, in px */
export function icon(name: IconName, sizePx = 24): TemplateResult {
  return html`<svg width=${sizePx} height=${sizePx} viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d=${lines[name]} /></svg>`;
}
