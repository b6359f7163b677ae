import { AttributionControl, Map as MapLibreMap, type StyleSpecification, setWorkerUrl } from "maplibre-gl";
import { type Camera, pointOf } from "./camera.ts";

/** A map of a shop's own style below the markers, drawn by MapLibre. It only draws: hands, keys and markers are the picker's. */
export interface StyledBase {
  show(camera: Camera): void;
  destroy(): void;
}

/** The worker's file, beside the others of the picker. */
export const workerName = "petak-map-worker.js";

/**
 * @param onReady the style is loaded and drawn
 * @throws where there is no WebGL
 */
export function createStyledBase(
  host: HTMLElement,
  { style, assetsUrl, camera, onReady }: { style: string | object; assetsUrl: string; camera: Camera; onReady: () => void },
): StyledBase {
  setWorkerUrl(new URL(workerName, new URL(assetsUrl, location.href)).href);
  const { latitude, longitude } = pointOf(camera);
  const map = new MapLibreMap({
    container: host,
    style: style as string | StyleSpecification,
    center: [longitude, latitude],
    zoom: camera.zoom,
    interactive: false,
    attributionControl: false,
    renderWorldCopies: true,
    fadeDuration: 0,
  });
  map.addControl(new AttributionControl({ compact: false }));
  // A source that fails now and then is MapLibre's to ask again. Without a listener each failure would be an error of the page.
  map.on("error", () => {});
  map.once("load", onReady);
  return {
    show(camera) {
      const { latitude, longitude } = pointOf(camera);
      map.jumpTo({ center: [longitude, latitude], zoom: camera.zoom });
      // Now and not in the next frame, when markers would be ahead of it.
      map.redraw();
    },
    destroy: () => map.remove(),
  };
}
