import type { QrSquares } from "./code-film.ts";

/** A picture in grey, a byte a pixel. */
export interface GreyPicture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Draws a QR code, 4 px a square. */
export function drawSquares(squares: QrSquares): GreyPicture {
  const scale = 4;
  const [width, height] = [(squares[0]?.length ?? 0) * scale, squares.length * scale];
  const data = Uint8Array.from({ length: width * height }, (_, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    return squares[Math.floor(y / scale)]?.[Math.floor(x / scale)] === true ? 0 : 255;
  });
  return { width, height, data };
}

/** Writes a picture as a portable graymap, which every program for pictures reads. */
export function graymapOf({ width, height, data }: GreyPicture): Uint8Array {
  return Buffer.concat([Buffer.from(`P5 ${width} ${height} 255\n`), data]);
}
