import { html, type TemplateResult } from "lit";
import { classMap } from "lit/directives/class-map.js";

/** The mark: a grid of compartments, one filled. It loads, and it stands where there is nothing else. @param sizePx its width and height, in px */
export function mark(sizePx = 32, isWorking = false): TemplateResult {
  return html`<svg class=${classMap({ mark: true, "is-working": isWorking })} width=${sizePx} height=${sizePx} viewBox="0 0 32 32" fill="none" stroke="currentColor" stroke-width="3" aria-hidden="true">
    <rect x="3" y="3" width="11" height="11" rx="3" /><rect x="18" y="3" width="11" height="11" rx="3" />
    <rect x="3" y="18" width="11" height="11" rx="3" /><rect x="18" y="18" width="11" height="11" rx="3" fill="currentColor" />
  </svg>`;
}
