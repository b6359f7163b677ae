import { type Camera, onScreen, type Size, type World, worldPx } from "./camera.ts";
import type { Inks } from "./inks.ts";
import type { Length } from "./lengths.ts";
import type { MapShapes, Town, WorldLine } from "./shapes/read-shapes.ts";

/** What is drawn into: a canvas whose units are px of the page. */
export interface Sheet {
  readonly context: CanvasRenderingContext2D;
  readonly size: Size;
  readonly camera: Camera;
  readonly inks: Inks;
}

/** The coasts are right to some hundreds of metres: from the first of these zooms on they fade, and from the second they are gone. */
const coastsFadeFrom = 12;
const coastsGoneAt = 13.5;

/** Where a text is, by its middle, in px. */
interface Label {
  readonly text: string;
  readonly x: number;
  readonly y: number;
}

/** Circles around where the shopper is. */
export interface Rings {
  readonly origin: World;
  readonly lengths: readonly Length[];
  /** At the origin. */
  readonly pxPerMetre: number;
  /** Whether something will lie on a text. @param width of the text, in px */
  isCovered(x: number, y: number, width: number): boolean;
}

/** Draws water, land and borders. */
export function paintShapes(sheet: Sheet, shapes: MapShapes): void {
  const { context, size, camera, inks } = sheet;
  context.fillStyle = inks.land;
  context.fillRect(0, 0, size.width, size.height);
  const seen = Math.max(0, Math.min(1, (coastsGoneAt - camera.zoom) / (coastsGoneAt - coastsFadeFrom)));
  if (seen === 0) return;
  context.globalAlpha = seen;
  context.fillStyle = inks.water;
  context.fillRect(0, 0, size.width, size.height);
  context.fillStyle = inks.land;
  context.globalAlpha = 1;
  trace(sheet, shapes.land, true);
  context.fill("evenodd");
  context.globalAlpha = seen;
  context.fillStyle = inks.water;
  trace(sheet, shapes.lakes, true);
  context.fill("evenodd");
  context.strokeStyle = inks.border;
  context.lineJoin = "round";
  context.lineWidth = 0.75;
  context.stroke();
  trace(sheet, shapes.land, true);
  context.stroke();
  if (camera.zoom >= 5) {
    context.lineWidth = 1;
    context.setLineDash([2, 3]);
    trace(sheet, shapes.provinceBorders, false);
    context.stroke();
    context.setLineDash([]);
  }
  context.lineWidth = 1.2;
  trace(sheet, shapes.countryBorders, false);
  context.stroke();
  context.globalAlpha = 1;
}

/** Makes a path of the lines that are in sight, on each turn around the world. Of positions within a px one is enough. */
function trace({ context, size, camera }: Sheet, lines: readonly WorldLine[], isClosed: boolean): void {
  const scale = worldPx(camera.zoom);
  const [halfX, halfY] = [size.width / 2 / scale, size.height / 2 / scale];
  context.beginPath();
  for (const { places, west, east, north, south } of lines) {
    if (south < camera.y - halfY || north > camera.y + halfY) continue;
    for (let turn = Math.ceil(camera.x - halfX - east); turn <= Math.floor(camera.x + halfX - west); turn++) {
      const [left, top] = [(camera.x - turn) * scale - size.width / 2, camera.y * scale - size.height / 2];
      let [lastX, lastY] = [Infinity, Infinity];
      for (let index = 0; index < places.length; index += 2) {
        const x = (places[index] ?? 0) * scale - left;
        const y = (places[index + 1] ?? 0) * scale - top;
        if (index > 0 && index < places.length - 2 && Math.abs(x - lastX) < 1 && Math.abs(y - lastY) < 1) continue;
        if (index === 0) context.moveTo(x, y);
        else context.lineTo(x, y);
        [lastX, lastY] = [x, y];
      }
      if (isClosed) context.closePath();
    }
  }
}

/** Draws the rings, each with its distance where it is in sight and no marker will lie on it, and names the towns that find room beside them: the smaller, the nearer one must be. */
export function paintRingsAndTowns(sheet: Sheet, rings: Rings | undefined, towns: readonly Town[]): void {
  const { context, inks } = sheet;
  const labels = rings === undefined ? [] : paintRings(sheet, rings);
  context.textAlign = "center";
  // On a page that is written from the right, "500 m" would become "m 500".
  context.direction = "ltr";
  context.textBaseline = "middle";
  context.font = `12px ${inks.font}`;
  context.lineJoin = "round";
  context.lineWidth = 4;
  context.strokeStyle = inks.land;
  context.fillStyle = inks.text;
  for (const { text, x, y } of [...labels, ...findTowns(sheet, towns, labels)]) {
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  }
}

function paintRings({ context, size, camera, inks }: Sheet, { origin, lengths, pxPerMetre, isCovered }: Rings): Label[] {
  const [x, y] = onScreen(camera, size, origin);
  context.font = `12px ${inks.font}`;
  context.strokeStyle = inks.ring;
  context.lineWidth = 1;
  context.setLineDash([4, 4]);
  const labels = lengths.map(({ metres, text }) => {
    context.beginPath();
    context.arc(x, y, metres * pxPerMetre, 0, 2 * Math.PI);
    context.stroke();
    const radius = metres * pxPerMetre;
    const { width } = context.measureText(text);
    const top = { text, x, y: y - radius };
    const places = [top, { text, x, y: y + radius }, { text, x: x + radius, y }, { text, x: x - radius, y }];
    const isInside = (at: Label) => at.x >= 0 && at.x <= size.width && at.y >= 0 && at.y <= size.height;
    return places.find((at) => isInside(at) && !isCovered(at.x, at.y, width)) ?? top;
  });
  context.setLineDash([]);
  return labels;
}

/** The towns in sight that find room, the largest first. Near ones are not named: at the scale of streets a town is no point. */
function findTowns({ context, size, camera, inks }: Sheet, towns: readonly Town[], others: readonly Label[]): Label[] {
  if (camera.zoom > coastsGoneAt) return [];
  context.font = `12px ${inks.font}`;
  const withWidth = (label: Label) => ({ ...label, width: context.measureText(label.text).width });
  const taken = others.map(withWidth);
  for (const town of towns) {
    if (town.rank > camera.zoom * 1.3 - 2) break;
    const [x, y] = onScreen(camera, size, town);
    if (x < 0 || x > size.width || y < 0 || y > size.height) continue;
    const label = withWidth({ text: town.name, x, y });
    if (taken.every((other) => Math.abs(y - other.y) >= 18 || Math.abs(x - other.x) >= (label.width + other.width) / 2 + 8))
      taken.push(label);
  }
  return taken.slice(others.length);
}
