import text from "./map.css" with { type: "text" };
import type { MapWords } from "./picker-map.ts";

/** The elements of a map, besides its markers. */
export interface MapElements {
  readonly root: HTMLElement;
  /** What is dragged and takes keys. */
  readonly surface: HTMLElement;
  readonly styled: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  readonly you: HTMLElement;
  readonly scale: HTMLElement;
  readonly zoomIn: HTMLButtonElement;
  readonly zoomOut: HTMLButtonElement;
  readonly search: HTMLButtonElement;
}

let sheet: CSSStyleSheet | undefined;

/** Makes the elements, and gives their root in the document its style sheet. */
export function createElements(host: HTMLElement, words: MapWords): MapElements {
  const root = make("div", "map-root");
  const surface = make("div", "map-surface");
  surface.tabIndex = 0;
  surface.role = "group";
  surface.ariaLabel = words.map;
  const styled = make("div", "map-styled");
  const canvas = make("canvas", "map-canvas");
  const you = make("div", "map-you");
  you.title = words.you;
  const scale = make("div", "map-scale");
  for (const element of [styled, canvas, you, scale]) element.ariaHidden = "true";
  const zoomIn = makeButton("map-button", "map-zoom-in", words.zoomIn, "M5 12h14M12 5v14");
  const zoomOut = makeButton("map-button", "map-zoom-out", words.zoomOut, "M5 12h14");
  const zooms = make("div", "map-zooms");
  zooms.append(zoomIn, zoomOut);
  const search = makeButton("map-button map-search", "map-search", words.searchHere);
  search.hidden = true;
  surface.append(styled, canvas, you);
  root.append(surface, scale, zooms, search);
  const documentRoot = host.getRootNode() as Document | ShadowRoot;
  if (sheet === undefined) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
  }
  if (!documentRoot.adoptedStyleSheets.includes(sheet)) documentRoot.adoptedStyleSheets.push(sheet);
  host.append(root);
  return { root, surface, styled, canvas, you, scale, zoomIn, zoomOut, search };
}

function make<Name extends "div" | "canvas">(name: Name, className: string): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  element.className = className;
  return element;
}

/** @param lines of its icon, which stands in place of the words */
function makeButton(className: string, part: string, words: string, lines?: string): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.className = className;
  button.setAttribute("part", part);
  if (lines === undefined) {
    button.textContent = words;
    return button;
  }
  button.ariaLabel = words;
  button.title = words;
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [name, value] of Object.entries({ width: "24", height: "24", viewBox: "0 0 24 24", "aria-hidden": "true" })) {
    icon.setAttribute(name, value);
  }
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", lines);
  icon.append(path);
  button.append(icon);
  return button;
}
