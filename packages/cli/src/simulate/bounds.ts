import { greatCircleM, type Position } from "@petak/protocol/geo";
import type { Circle } from "./city-sites.ts";

/** The least box around positions; it does not cross the 180th meridian. */
export class Bounds {
  #south = Number.POSITIVE_INFINITY;
  #north = Number.NEGATIVE_INFINITY;
  #west = Number.POSITIVE_INFINITY;
  #east = Number.NEGATIVE_INFINITY;

  static around(positions: Iterable<Position>): Bounds {
    const bounds = new Bounds();
    for (const position of positions) bounds.add(position);
    return bounds;
  }

  add({ latitude, longitude }: Position): void {
    this.#south = Math.min(this.#south, latitude);
    this.#north = Math.max(this.#north, latitude);
    this.#west = Math.min(this.#west, longitude);
    this.#east = Math.max(this.#east, longitude);
  }

  /** The circle around the box. @param marginM how much more @throws RangeError if there was no position */
  circle(marginM: number): Circle {
    if (this.#south > this.#north) throw new RangeError("there are no positions");
    const centre = { latitude: (this.#south + this.#north) / 2, longitude: (this.#west + this.#east) / 2 };
    const corners = [this.#south, this.#north].map((latitude) => greatCircleM(centre, { latitude, longitude: this.#west }));
    return { ...centre, radiusM: Math.max(...corners) + marginM };
  }
}
