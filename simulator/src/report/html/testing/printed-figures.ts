import type { Page } from "playwright-core";
import { type Format, formatted } from "../formats.ts";
import { readPath } from "../printer.ts";

/** A figure as a page prints it. */
export interface PrintedFigure {
  readonly path: string;
  readonly format: Format;
  readonly text: string;
}

/**
 * The figures that a page prints, those of tables too.
 *
 * @param within a selector of the part to look at
 */
export function printedFigures(page: Page, within = "body"): Promise<PrintedFigure[]> {
  return page.locator(within).evaluate((root) => {
    const found = [...root.querySelectorAll<HTMLElement>("[data-figure]")].map(({ dataset, textContent }) => ({
      path: dataset.figure ?? "",
      format: dataset.format as Format,
      text: textContent ?? "",
    }));
    for (const row of root.querySelectorAll<HTMLTableRowElement>("tr[data-row]")) {
      const heads = row.closest("table")?.querySelectorAll<HTMLElement>("thead th") ?? [];
      for (const [index, cell] of [...row.cells].entries()) {
        const { path = "", format } = heads[index]?.dataset ?? {};
        found.push({ path: path.replace("{row}", row.dataset.row ?? ""), format: format as Format, text: cell.textContent ?? "" });
      }
    }
    return found;
  });
}

/** The figures that differ from what the JSON has at their path. */
export function differences(json: unknown, printed: readonly PrintedFigure[]): PrintedFigure[] {
  return printed.filter(({ path, format, text }) => formatted(format, readPath(json, path)) !== text);
}

/** Texts with digits that are no figure: neither marked as one, nor within the scale of an axis. */
export function strayNumbers(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const texts: string[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const text = walker.currentNode.textContent ?? "";
      const parent = walker.currentNode.parentElement;
      if (/\d/.test(text) && !parent?.closest("[data-figure], [data-axis], tr[data-row], script, style, title")) texts.push(text.trim());
    }
    return texts;
  });
}
