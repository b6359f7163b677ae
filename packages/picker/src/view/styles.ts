import parts from "@petak/ui/parts.css" with { type: "text" };
import tokens from "@petak/ui/tokens.css" with { type: "text" };
import own from "./styles.css" with { type: "text" };

/** The values of a page stand at its root; those of the picker at its own element, where a page can set others. */
const atHost = tokens.replaceAll(/:root((?:\[[^\]]*\]|:not\([^)]*\))*)/g, (_, rest: string) =>
  rest === "" ? ":host" : `:host(${rest.replaceAll("data-theme", "theme")})`,
);

let sheets: CSSStyleSheet[] | undefined;

/** The picker's style sheets, one set for all pickers of a page. No `<style>`: a page's policy may forbid it. */
export function pickerStyles(): CSSStyleSheet[] {
  sheets ??= [atHost, parts, own].map((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return sheet;
  });
  return sheets;
}
