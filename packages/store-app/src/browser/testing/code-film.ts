import { rename, writeFile } from "node:fs/promises";
import { encode } from "uqr";

/** The dark and light squares of a QR code, with the white border around it. */
export type QrSquares = readonly (readonly boolean[])[];

/** A QR code as the app draws it. */
export function qrSquares(text: string): QrSquares {
  return encode(text, { ecc: "M", border: 4 }).data;
}

/** What lies before a camera for a time. */
export interface Scene {
  /** Undefined: an empty counter. */
  readonly squares?: QrSquares;
  readonly seconds: number;
}

interface FilmSize {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Enough for a code of a few characters, and quickly read. */
const smallFilm: FilmSize = { widthPx: 320, heightPx: 240 };

/**
 * Writes a film of one picture, a QR code on a grey counter, for a camera to show: Chromium's `--use-file-for-fake-video-capture` plays it for ever. A camera that starts
 * later shows what was written last.
 *
 * @param path ends in `.y4m`
 * @param squares undefined: an empty counter
 */
export async function filmCode(path: string, squares?: QrSquares): Promise<void> {
  const size = squares === undefined ? smallFilm : { widthPx: 1280, heightPx: 720 };
  await writeFilm(path, 10, [frame(size, squares)], size);
}

/** Writes a film of small codes, one after the other, a picture a second. */
export async function filmScenes(path: string, scenes: readonly Scene[]): Promise<void> {
  const frames = scenes.flatMap(({ squares, seconds }) => new Array<Buffer>(seconds).fill(frame(smallFilm, squares)));
  await writeFilm(path, 1, frames, smallFilm);
}

function frame({ widthPx, heightPx }: FilmSize, squares: QrSquares = []): Buffer {
  const size = squares.length;
  const scale = Math.floor((heightPx - 40) / Math.max(1, size));
  const [left, top] = [(widthPx - size * scale) >> 1, (heightPx - size * scale) >> 1];
  const light = Buffer.alloc(widthPx * heightPx, 120);
  for (let y = 0; y < size * scale; y += 1) {
    for (let x = 0; x < size * scale; x += 1) {
      const isDark = squares[Math.floor(y / scale)]?.[Math.floor(x / scale)] === true;
      light[(top + y) * widthPx + left + x] = isDark ? 20 : 235;
    }
  }
  const noColour = Buffer.alloc((widthPx * heightPx) / 2, 128);
  return Buffer.concat([Buffer.from("FRAME\n"), light, noColour]);
}

async function writeFilm(path: string, perSecond: number, frames: readonly Buffer[], { widthPx, heightPx }: FilmSize): Promise<void> {
  const head = Buffer.from(`YUV4MPEG2 W${widthPx} H${heightPx} F${perSecond}:1 Ip A1:1 C420jpeg\n`);
  // One picture alone is no film.
  await writeFile(`${path}.new`, Buffer.concat([head, ...frames, ...frames.slice(0, 1)]));
  await rename(`${path}.new`, path);
}

/** Chromium's switches for a camera that shows a film. */
export function filmSwitches(path: string): string[] {
  return ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${path}`];
}
