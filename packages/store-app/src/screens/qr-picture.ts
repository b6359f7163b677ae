import { html, type TemplateResult } from "lit";
import { encode } from "uqr";

/** A QR code as a picture: dark on white in both themes, because many scanners read nothing else. @param words what it is, for screen readers */
export function qrPicture(text: string, words: string): TemplateResult {
  const { data, size } = encode(text, { ecc: "M", border: 4 });
  const path = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : []))).join("");
  return html`<svg class="qr" viewBox="0 0 ${size} ${size}" role="img" aria-label=${words} shape-rendering="crispEdges"><rect width=${size} height=${size} fill="#fff" /><path d=${path} fill="#000" /></svg>`;
}
