import { type Camera, nearestTo, onScreen, type Size, type World, worldOf, worldPx } from "./camera.ts";
import type { MapSite } from "./picker-map.ts";

interface Marker {
  readonly element: HTMLElement;
  readonly place: World;
  /** Its size with its label, in px. */
  readonly width: number;
  readonly height: number;
  readonly isChosen: boolean;
}

/** Apart by so much, two markers can be told and pressed each, in px. */
const gapPx = 4;

/** Of a text on the map, in px. */
const textHeightPx = 14;

/**
 * The markers of sites, on a layer that moves as one piece while a map is dragged.
 *
 * Where markers would lie on one another, the nearer site keeps its label and the others become dots, which can be pressed too. A number of sites in one marker
 * would be read as a number of free places.
 */
export class Markers {
  readonly layer: HTMLElement;
  #markers: readonly Marker[] = [];
  #placed: Camera | undefined;

  constructor() {
    this.layer = document.createElement("div");
    this.layer.className = "map-markers";
    // The list says the same in words and in the same order, and its rows can be reached by keyboard: here each site would be met a second time.
    this.layer.ariaHidden = "true";
  }

  /** @param sites the first ones keep their labels */
  show(sites: readonly MapSite[], chosenId: string | undefined): void {
    const elements = sites.map((site) => createMarker(site, site.siteId === chosenId));
    this.layer.replaceChildren(...elements.toReversed());
    const markers = sites.map((site, index): Marker => {
      const element = elements[index] as HTMLElement;
      const { offsetWidth: width, offsetHeight: height } = element;
      return { element, place: worldOf(site), width, height, isChosen: site.siteId === chosenId };
    });
    this.#markers = markers.sort((one, other) => Number(other.isChosen) - Number(one.isChosen));
    this.#placed = undefined;
  }

  /** Puts the markers where they are in a camera's view. */
  place(camera: Camera, size: Size): void {
    if (this.#placed?.zoom !== camera.zoom) {
      this.#placed = camera;
      this.#placeEach(camera);
    }
    const [x, y] = onScreen(camera, size, this.#placed);
    this.layer.style.transform = `translate(${x}px, ${y}px)`;
  }

  /** Whether a text of this width around a place of the screen would lie under a marker. In px. */
  covers(camera: Camera, size: Size, x: number, y: number, textWidth: number): boolean {
    return this.#markers.some(({ place, width, height }) => {
      const [left, top] = onScreen(camera, size, place);
      return Math.abs(left - x) < (width + textWidth) / 2 && Math.abs(top - y) < (height + textHeightPx) / 2;
    });
  }

  /** Places each relative to the middle of a camera's view, and decides which ones keep their labels. */
  #placeEach(camera: Camera): void {
    const scale = worldPx(camera.zoom);
    const taken: { x: number; y: number; width: number; height: number }[] = [];
    for (const { element, place, width, height } of this.#markers) {
      const near = nearestTo(camera, place);
      const [x, y] = [(near.x - camera.x) * scale, (near.y - camera.y) * scale];
      const hasRoom = taken.every(
        (other) => Math.abs(x - other.x) > (width + other.width) / 2 + gapPx || Math.abs(y - other.y) > (height + other.height) / 2 + gapPx,
      );
      if (hasRoom) taken.push({ x, y, width, height });
      element.classList.toggle("is-dot", !hasRoom);
      element.style.transform = `translate(${x}px, ${y}px) translate(-50%, -50%)`;
    }
  }
}

function createMarker({ siteId, name, label, state }: MapSite, isChosen: boolean): HTMLElement {
  const element = document.createElement("button");
  element.type = "button";
  element.tabIndex = -1;
  element.className = `map-marker is-${state}${isChosen ? " is-chosen" : ""}`;
  element.setAttribute("part", `marker marker-${state}${isChosen ? " marker-chosen" : ""}`);
  element.dataset.siteId = siteId;
  element.title = name;
  const text = document.createElement("span");
  text.textContent = label;
  element.append(text);
  return element;
}
