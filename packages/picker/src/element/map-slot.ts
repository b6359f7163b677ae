import type { CreateMap, MapSite, PickerMap } from "../map/picker-map.ts";
import type { Model } from "../model/model.ts";
import { placeState } from "../sites/offer.ts";
import { why } from "../view/left-out.ts";
import type { Speaker } from "../words/speak.ts";

/** What a map is filled with. */
export interface MapContent {
  readonly model: Model;
  readonly say: Speaker;
  /** A MapLibre style in place of the map's own: its URL. */
  readonly style: string | undefined;
  /** A site that is not offered was pressed. */
  showWhy(siteId: string): void;
}

/**
 * Keeps a map in the picker's space for one, with what the list shows. The map's files are loaded once there is a list. Where they cannot be, the list stays
 * alone, without a word: the map is an aid.
 */
export class MapSlot {
  #map: PickerMap | undefined;
  #content: MapContent | undefined;
  #host: Element | undefined;
  #made = "";
  #shown = "";

  /** To be called after each render. @param host the space; null where there is none */
  update(host: HTMLElement | null, content: MapContent): void {
    this.#content = content;
    const { model, say, style } = content;
    const { point, offers } = model.state;
    if (host === null || point === undefined || offers === undefined) {
      if (host !== this.#host) this.close();
      return;
    }
    const made = JSON.stringify([say.tag, style]);
    if (host !== this.#host || made !== this.#made) {
      this.close();
      [this.#host, this.#made] = [host, made];
      void this.#make(host, content);
    }
    this.#show();
  }

  close(): void {
    this.#map?.destroy();
    [this.#map, this.#host, this.#made, this.#shown] = [undefined, undefined, "", ""];
  }

  async #make(host: HTMLElement, { say, style }: MapContent): Promise<void> {
    let map: PickerMap;
    try {
      const { createMap }: { createMap: CreateMap } = await import("../map/create-map.ts");
      map = await createMap(host, {
        language: `${say.tag}-u-nu-latn`,
        words: {
          map: say("map"),
          zoomIn: say("zoomIn"),
          zoomOut: say("zoomOut"),
          searchHere: say("searchHere"),
          you: say("yourLocation"),
        },
        assetsUrl: new URL(".", import.meta.url).href,
        ...(style === undefined ? {} : { style }),
        onMove: (center) => this.#content?.model.goTo(center, ""),
        onPick: (siteId) => this.#pick(siteId),
      });
    } catch {
      return;
    }
    if (this.#host !== host || this.#made !== JSON.stringify([say.tag, style])) {
      map.destroy();
      return;
    }
    this.#map = map;
    this.#show();
  }

  #pick(siteId: string): void {
    const isOffered = this.#content?.model.state.offers?.some((offer) => offer.siteId === siteId);
    if (isOffered === true) this.#content?.model.select(siteId);
    else this.#content?.showWhy(siteId);
  }

  /** Shows what is new. */
  #show(): void {
    if (this.#map === undefined || this.#content === undefined) return;
    const { model, say } = this.#content;
    const { point, offers = [], notOffered, selectedId } = model.state;
    if (point === undefined) return;
    const atMs = model.gatewayNow();
    const offered = offers.map((offer): MapSite => {
      const { siteId, name, latitude, longitude, free } = offer;
      const state = placeState(offer, atMs);
      return { siteId, name, latitude, longitude, state, label: state === "unknown" ? "?" : say.number(free) };
    });
    const leftOut = notOffered.sites
      .filter(({ siteId }) => offers.every((offer) => offer.siteId !== siteId))
      .map(({ siteId, name, latitude, longitude, reason }): MapSite => {
        return { siteId, name: `${name}: ${why(say, reason)}`, latitude, longitude, state: "left-out", label: "×" };
      });
    const sites = [...offered, ...leftOut];
    const shown = JSON.stringify([point, sites, selectedId]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#map.show(point, sites, selectedId);
  }
}
