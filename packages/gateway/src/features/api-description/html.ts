/** Text as it stands in HTML, in elements and in attributes. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** The text of a comment in HTML: paragraphs, lists by hyphens, and code between backquotes. */
export function prose(text: string): string {
  const paragraphs = text.split("\n\n").filter((paragraph) => paragraph !== "");
  return paragraphs.map((paragraph) => (paragraph.startsWith("- ") ? listOf(paragraph) : `<p>${inline(paragraph)}</p>`)).join("\n");
}

function listOf(text: string): string {
  const items = text.slice(2).split("\n- ");
  return `<ul>${items.map((item) => `<li>${inline(item)}</li>`).join("")}</ul>`;
}

function inline(text: string): string {
  return escapeHtml(text).replaceAll(/`([^`]+)`/g, "<code>$1</code>");
}

/** A page of the gateway. It has no scripts. @param body trusted HTML */
export function page(title: string, body: string, className: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>${escapeHtml(title)}</title><link rel="stylesheet" href="/pages.css"></head><body class="${className}">${body}</body></html>
`;
}

/** The policy of the gateway's pages: their style sheet and nothing else, no script of anybody. */
export const pagePolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
