import type { Region } from "@petak/protocol";
import { type CellBound, cellBound, leastFromPointM } from "../geo/cell-bound.ts";
import { cellsPerRegion, descendantCell, indexResolution, regionResolution } from "../geo/region.ts";
import type { UnitPoint } from "../geo/unit-point.ts";
import { isAnyOccupied } from "./occupied-cells.ts";

/** H3 resolutions from a region to the cells of the index. */
const depth = indexResolution - regionResolution;

/** A cell that contains sites: a region or one of its descendants, down to the index cells. */
export class Area {
  readonly region: Region;
  /** Its H3 index. */
  readonly cell: string;
  readonly #digits: readonly number[];
  readonly #occupied: Buffer;
  /** Number, within the region, of the first index cell in this area. */
  readonly #firstCell: number;
  readonly #bound: CellBound;
  #children: readonly Area[] | undefined;

  private constructor(region: Region, occupied: Buffer, digits: readonly number[], firstCell: number) {
    this.region = region;
    this.cell = descendantCell(region, digits);
    this.#digits = digits;
    this.#occupied = occupied;
    this.#firstCell = firstCell;
    this.#bound = cellBound(this.cell);
  }

  /**
   * The area of a region.
   *
   * @param occupied Bitmap of the region's occupied index cells.
   */
  static ofRegion(region: Region, occupied: Buffer): Area {
    return new Area(region, occupied, [], 0);
  }

  /** Whether it is an index cell. */
  get isIndexCell(): boolean {
    return this.#digits.length === depth;
  }

  /** The child areas that contain sites. */
  get children(): readonly Area[] {
    if (this.#children === undefined) {
      const children: Area[] = [];
      const cellsPerChild = cellsPerRegion / 7 ** (this.#digits.length + 1);
      for (let digit = 0; digit < 7; digit++) {
        const first = this.#firstCell + digit * cellsPerChild;
        if (!isAnyOccupied(this.#occupied, first, first + cellsPerChild)) continue;
        children.push(new Area(this.region, this.#occupied, [...this.#digits, digit], first));
      }
      this.#children = children;
    }
    return this.#children;
  }

  /** Lower bound, in m, of the distance from a point to any site in the area. */
  leastM(from: UnitPoint): number {
    return leastFromPointM(from, this.#bound);
  }
}
