import type { Position } from "@petak/allocator";
import { greatCircleM, indexCellOf, regionOfCell } from "@petak/allocator";
import type { Region } from "@petak/protocol";
import { cellToLatLng, cellToVertexes, gridDisk, latLngToCell, vertexToLatLng } from "h3-js";

/** A point where three regions meet. */
export interface RegionCorner {
  position: Position;
  regions: readonly [Region, Region, Region];
  /** A position in one of the regions at a distance from the corner: at most 200 m, since an index cell is about 400 m wide. */
  inRegion(region: Region, distanceM: number): Position;
}

const indexResolution = 8;
const regionResolution = 3;

/** The corners of the region around a position: points at which index cells of three different regions meet. */
export function cornersNear({ latitude, longitude }: Position): RegionCorner[] {
  return cellToVertexes(latLngToCell(latitude, longitude, regionResolution)).flatMap((vertex) => {
    // Regions consist of whole index cells, so their corners differ a little from those of the cells of their own resolution.
    const around = gridDisk(latLngToCell(...vertexToLatLng(vertex), indexResolution), 6);
    const cellsAt = Map.groupBy(
      around.flatMap((cell) => cellToVertexes(cell).map((corner) => ({ cell, corner }))),
      ({ corner }) => corner,
    );
    return [...cellsAt].flatMap(([corner, cells]) => {
      const cellOf = new Map(cells.map(({ cell }) => [regionOfCell(cell), cell]));
      return cellOf.size === 3 ? [makeCorner(corner, cellOf)] : [];
    });
  });
}

function makeCorner(vertex: string, cellOf: ReadonlyMap<Region, string>): RegionCorner {
  const position = toPosition(vertexToLatLng(vertex));
  return {
    position,
    regions: [...cellOf.keys()] as [Region, Region, Region],
    inRegion(region, distanceM) {
      const centre = toPosition(cellToLatLng(cellOf.get(region) ?? ""));
      const share = distanceM / greatCircleM(position, centre);
      const place = {
        latitude: position.latitude + share * (centre.latitude - position.latitude),
        longitude: position.longitude + share * (centre.longitude - position.longitude),
      };
      if (regionOfCell(indexCellOf(place)) !== region) throw new RangeError(`${distanceM} m from the corner is not in region ${region}`);
      return place;
    },
  };
}

function toPosition([latitude, longitude]: [number, number]): Position {
  return { latitude, longitude };
}
