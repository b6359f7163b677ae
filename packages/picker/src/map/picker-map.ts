/** A point on Earth (WGS84), in degrees. */
export interface Point {
  readonly latitude: number;
  readonly longitude: number;
}

/** What is known of a site's free places. `full`: none that fits. `unknown`: the last report has expired. */
export type PlaceState = "free" | "full" | "unknown";

/** A site as the map shows it. The list says the same in words. */
export interface MapSite extends Point {
  readonly siteId: string;
  /** What a mouse over the marker shows. */
  readonly name: string;
  /** `left-out`: it is not offered. */
  readonly state: PlaceState | "left-out";
  /** What the marker says, e.g. `4` free places, `full`, `?`, `×`; in the page's language. */
  readonly label: string;
}

/** The map's words, in the page's language. */
export interface MapWords {
  /** The name of the map for screen readers. */
  readonly map: string;
  readonly zoomIn: string;
  readonly zoomOut: string;
  readonly searchHere: string;
  readonly you: string;
}

/** What a map is made with. */
export interface PickerMapOptions {
  /** BCP 47, for the numbers of scale and rings. */
  readonly language: string;
  readonly words: MapWords;
  /** The folder of the picker's own files, ending in `/`: worker, shapes. */
  readonly assetsUrl: string;
  /** A MapLibre style in place of the map's own: its URL, or the style. */
  readonly style?: string | object;
  /** The shopper wants the sites around another point: the map was dragged there, and they said so. */
  onMove(center: Point): void;
  /** The shopper pressed a site's marker. */
  onPick(siteId: string): void;
}

/** A map beside the list. It is an aid: whatever it does, the list does too. */
export interface PickerMap {
  /** Shows these sites and the point they were searched around, in place of what was shown. @param chosenId the selected site, if there is one */
  show(origin: Point, sites: readonly MapSite[], chosenId: string | undefined): void;
  /** Frees everything. Nothing is called afterwards. */
  destroy(): void;
}

/**
 * Makes a map in an element of the picker's open shadow root; `createMap` of the map's module has this type. Style sheets go into `adoptedStyleSheets` of the
 * root, because the page's policy allows no inline style.
 *
 * @throws where there is no WebGL, or a file is missing: the picker then shows its list alone
 */
export type CreateMap = (host: HTMLElement, options: PickerMapOptions) => PickerMap | Promise<PickerMap>;
