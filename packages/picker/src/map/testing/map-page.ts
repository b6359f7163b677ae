/** The page of the map's tests: a map in a shadow root, as in the picker. What the map calls is kept. */
import tokens from "@petak/ui/tokens.css" with { type: "text" };
import { createMap } from "../create-map.ts";
import type { MapSite, PickerMap, Point } from "../picker-map.ts";

/** What a test does with the page's map. */
export interface MapPage {
  open(style?: string | object): Promise<void>;
  show(origin: Point, sites: readonly MapSite[], chosenId?: string): void;
  close(): void;
  /** What the map has called, in order. */
  readonly heard: (readonly ["move", Point] | readonly ["pick", string])[];
}

const sheet = new CSSStyleSheet();
sheet.replaceSync(`${tokens}
  body { margin: 0; background: var(--ground); font: 16px/1.5 system-ui, sans-serif; }
  #place { position: relative; display: block; height: 100vh; }`);
document.adoptedStyleSheets.push(sheet);
const place = document.createElement("div");
place.id = "place";
document.body.append(place);
const host = document.createElement("div");
const hostSheet = new CSSStyleSheet();
hostSheet.replaceSync(".frame { position: relative; height: 100%; }");
const shadow = place.attachShadow({ mode: "open" });
shadow.adoptedStyleSheets.push(hostSheet);
host.className = "frame";
shadow.append(host);

let map: PickerMap | undefined;
const heard: MapPage["heard"] = [];
const page: MapPage = {
  heard,
  async open(style) {
    map = await createMap(host, {
      language: "en",
      words: { map: "Map of the places", zoomIn: "Closer", zoomOut: "Farther", searchHere: "Search here", you: "You are here" },
      assetsUrl: "/",
      ...(style === undefined ? {} : { style }),
      onMove: (center) => heard.push(["move", center]),
      onPick: (siteId) => heard.push(["pick", siteId]),
    });
  },
  show: (origin, sites, chosenId) => map?.show(origin, sites, chosenId),
  close: () => map?.destroy(),
};
Object.assign(globalThis, { mapPage: page });
