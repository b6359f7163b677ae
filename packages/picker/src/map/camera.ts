import type { Point } from "./picker-map.ts";

/** A place on the map of the world in Web Mercator: both from 0 in the north-west to 1. */
export interface World {
  readonly x: number;
  readonly y: number;
}

/** What is in the middle of a map, and how large. The world is 512 px wide at zoom 0 and twice as wide with each further one, as in MapLibre. */
export interface Camera extends World {
  readonly zoom: number;
}

/** Width and height of a map, in px. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

export const leastZoom = 1;
export const mostZoom = 18;

const metresAroundEarth = 40_075_016.7;
const mostLatitude = 85.05;

export function worldOf({ latitude, longitude }: Point): World {
  const sine = Math.sin((Math.max(-mostLatitude, Math.min(mostLatitude, latitude)) * Math.PI) / 180);
  return { x: longitude / 360 + 0.5, y: 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI) };
}

export function pointOf({ x, y }: World): Point {
  const longitude = (x - Math.floor(x) - 0.5) * 360;
  return { latitude: (Math.atan(Math.sinh((0.5 - y) * 2 * Math.PI)) * 180) / Math.PI, longitude };
}

/** The width of the world, in px. */
export function worldPx(zoom: number): number {
  return 512 * 2 ** zoom;
}

export function metresPerPx(y: number, zoom: number): number {
  return (metresAroundEarth * Math.cos((pointOf({ x: 0, y }).latitude * Math.PI) / 180)) / worldPx(zoom);
}

/** The same place, on the turn around the world that is nearest to the camera. */
export function nearestTo(camera: World, place: World): World {
  return { x: place.x - Math.round(place.x - camera.x), y: place.y };
}

/** Where a place is on a map, in px from its left upper corner. */
export function onScreen(camera: Camera, { width, height }: Size, place: World): [x: number, y: number] {
  const scale = worldPx(camera.zoom);
  const { x, y } = nearestTo(camera, place);
  return [(x - camera.x) * scale + width / 2, (y - camera.y) * scale + height / 2];
}

/** A camera within the limits of zoom and of the world. */
export function withinLimits({ x, y, zoom }: Camera): Camera {
  return { x: x - Math.floor(x), y: Math.max(0, Math.min(1, y)), zoom: Math.max(leastZoom, Math.min(mostZoom, zoom)) };
}

/** The camera after a drag. @param dx how far the map moves to the right, in px @param dy how far it moves down */
export function panned(camera: Camera, dx: number, dy: number): Camera {
  const scale = worldPx(camera.zoom);
  return withinLimits({ ...camera, x: camera.x - dx / scale, y: camera.y - dy / scale });
}

/** The camera after zooming, while the place at a point of the screen stays. @param fromMiddle of that point, in px */
export function zoomed(camera: Camera, by: number, [x, y]: readonly [x: number, y: number] = [0, 0]): Camera {
  const { zoom } = withinLimits({ ...camera, zoom: camera.zoom + by });
  const shift = 1 / worldPx(camera.zoom) - 1 / worldPx(zoom);
  return withinLimits({ x: camera.x + x * shift, y: camera.y + y * shift, zoom });
}

/** The camera that has a place in the middle, and others as large as they find room. @param paddingPx kept free at each side */
export function fitted(middle: World, others: readonly World[], { width, height }: Size, paddingPx: number, mostZoomToFit: number): Camera {
  const near = others.map((place) => nearestTo(middle, place));
  const acrossOf = (axis: "x" | "y") => 2 * Math.max(1e-9, ...near.map((place) => Math.abs(place[axis] - middle[axis])));
  const roomPx = (px: number) => Math.max(px - 2 * paddingPx, px / 3, 1);
  const zoom = Math.log2(Math.min(roomPx(width) / acrossOf("x"), roomPx(height) / acrossOf("y")) / 512);
  return withinLimits({ x: middle.x, y: middle.y, zoom: Math.min(zoom, mostZoomToFit) });
}
