import { createHash } from "node:crypto";
import { formats } from "./formats.ts";
import { html, Markup, type Part } from "./markup.ts";
import { levelOf, pageScript } from "./page-script.ts";
import { pageStyle } from "./page-style.ts";

const scriptFormats = ["count", "share", "time", "text"] as const;

/** The script of a page with a map. */
function scriptText(): string {
  const used = scriptFormats.map((name) => `${name}: ${functionText(formats[name].toString())}`);
  return `(${pageScript.toString()})({ ${used.join(", ")} }, ${levelOf.toString()});`;
}

/** A method's text as a function's. */
function functionText(method: string): string {
  return method.startsWith("function") || method.startsWith("(") ? method : `function ${method}`;
}

function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/** The pattern of what was refused: it can be told from other bars without colour. */
const hatch = html`<svg class="visually-hidden" width="0" height="0" aria-hidden="true"><defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-ground" width="6" height="6"/><line class="hatch-line" x1="1.5" x2="1.5" y1="0" y2="6"/></pattern></defs></svg>`;

/**
 * A page in one file: it loads nothing, and runs no script but its own.
 *
 * @param hasMap whether the page has a map, and so a script
 */
export function page(title: string, content: Part, hasMap: boolean): string {
  const script = hasMap ? scriptText() : "";
  const policy = `default-src 'none'; style-src ${hashOf(pageStyle)}; script-src ${hasMap ? hashOf(script) : "'none'"}; img-src data:; base-uri 'none'; form-action 'none'`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 28 28' fill='%230B6E5F'%3E%3Cg opacity='.3'%3E%3Crect x='2' y='2' width='10.5' height='10.5' rx='3'/%3E%3Crect x='2' y='15.5' width='10.5' height='10.5' rx='3'/%3E%3Crect x='15.5' y='15.5' width='10.5' height='10.5' rx='3'/%3E%3C/g%3E%3Crect x='15.5' y='2' width='10.5' height='10.5' rx='3'/%3E%3C/svg%3E">
<style>${new Markup(pageStyle)}</style>
</head>
<body>
${hatch}
${content}
${hasMap && html`<script>${new Markup(script)}</script>`}
</body>
</html>
`.text;
}
