import { type Format, formatted } from "./formats.ts";
import { escapeText, html, Markup, type Part } from "./markup.ts";

/** Prints figures, each with the path at which the JSON has it, so that a test can compare all of them. */
export interface Printer {
  /**
   * A figure as an element.
   *
   * @param path names and numbers from the top of the JSON, e.g. `demand.bySteps.3.met`; {@link pathName} makes any name one
   * @throws RangeError if the JSON has no such path
   */
  figure(path: string, format: Format): Markup;
  /** A figure within the text of an SVG. */
  label(path: string, format: Format): Markup;
  /** A figure as a bare text, e.g. for titles. */
  text(path: string, format: Format): string;
  /** The value itself. */
  number(path: string): number;
}

/** @param json the figures */
export function createPrinter(json: unknown): Printer {
  const valueAt = (path: string) => readPath(json, path);
  const text = (path: string, format: Format) => formatted(format, valueAt(path));
  const element = (name: string, path: string, format: Format) =>
    html`${new Markup(`<${name}`)} data-figure="${path}" data-format="${format}">${text(path, format)}${new Markup(`</${name}>`)}`;
  return {
    figure: (path, format) => element("data", path, format),
    label: (path, format) => element("tspan", path, format),
    text,
    number: (path) => Number(valueAt(path)),
  };
}

/** A name within a path: dots and percent signs are encoded. */
export function pathName(name: string): string {
  return encodeURIComponent(name).replaceAll(".", "%2E");
}

/** @throws RangeError if there is no such path */
export function readPath(json: unknown, path: string): unknown {
  let value = json;
  for (const name of path.split(".").map(decodeURIComponent)) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) throw new RangeError(`there is no figure ${path}`);
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

/** A column of a table. */
export interface Column {
  readonly head: Part;
  /** With `{row}` in the place of the row's number. */
  readonly path: string;
  readonly format: Format;
}

/** A table of figures. Its columns state their paths, its rows their numbers. */
export function figureTable(json: unknown, caption: string, columns: readonly Column[], rows: readonly number[]): Markup {
  const heads = columns.map(
    ({ head, path, format }, index) =>
      html`<th scope="col" data-path="${path}" data-format="${format}"${isNumeric(format) && index > 0 && new Markup(' class="n"')}>${head}</th>`,
  );
  const lines = rows.map((row) => {
    const cells = columns.map(({ path, format }, index) => {
      const text = escapeText(formatted(format, readPath(json, path.replace("{row}", String(row)))));
      const content = format === "text" ? `<bdi>${text}</bdi>` : text;
      const className = isNumeric(format) ? ' class="n"' : format === "id" ? ' class="id"' : "";
      return index === 0 ? `<th scope="row">${content}</th>` : `<td${className}>${content}</td>`;
    });
    return `<tr data-row="${row}">${cells.join("")}</tr>`;
  });
  return html`<div class="scroll" role="region" aria-label="${caption}, table" tabindex="0"><table><caption>${caption}</caption><thead><tr>${heads}</tr></thead><tbody>${new Markup(lines.join("\n"))}</tbody></table></div>`;
}

const isNumeric = (format: Format) => !["text", "id", "time", "date", "json"].includes(format);

/** The table behind a chart: for whoever does not see it, and for whoever wants the numbers. */
export function tableBehind(summary: string, table: Markup): Markup {
  return html`<details class="behind"><summary>${summary}</summary>${table}</details>`;
}
