import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { worldOf } from "../../camera.ts";
import { type MapShapes, readShapes, type WorldLine } from "../read-shapes.ts";
import { makeShapes } from "./make-shapes.ts";

/** Whether a place is within an odd number of rings. */
function isIn(rings: readonly WorldLine[], longitude: number, latitude: number): boolean {
  const { x, y } = worldOf({ longitude, latitude });
  let isInside = false;
  for (const { places } of rings) {
    for (let index = 0, before = places.length - 2; index < places.length; before = index, index += 2) {
      const [fromX = 0, fromY = 0, toX = 0, toY = 0] = [places[before], places[before + 1], places[index], places[index + 1]];
      if (fromY > y !== toY > y && x < fromX + ((y - fromY) / (toY - fromY)) * (toX - fromX)) isInside = !isInside;
    }
  }
  return isInside;
}

test("the same sources give the same shapes, smaller than 120 KiB after gzip, with cities on land and lakes in it", async ({
  annotate,
}) => {
  const [shapes, again] = [await makeShapes(), await makeShapes()];
  expect(again).toEqual(shapes);
  const sizes = Object.entries({ ...shapes, all: JSON.stringify(shapes) }).map(([name, text]) => [name, gzipSync(text).length] as const);
  await annotate(`Shapes of the map after gzip: ${sizes.map(([name, bytes]) => `${name} ${Math.round(bytes / 1024)} KiB`).join(", ")}.`);
  expect(Object.fromEntries(sizes).all).toBeLessThan(120 * 1024);

  const map: MapShapes = readShapes(shapes);
  const onLand = {
    bangkok: [100.52, 13.75],
    jakarta: [106.83, -6.25],
    manila: [121.03, 14.6],
    singapore: [103.82, 1.36],
    paris: [2.35, 48.86],
  };
  for (const [name, [longitude = 0, latitude = 0]] of Object.entries(onLand))
    expect([name, isIn(map.land, longitude, latitude)]).toEqual([name, true]);
  expect(isIn(map.land, 110, 5)).toBe(false);
  expect(isIn(map.lakes, 121.2, 14.35)).toBe(true);
  expect(map.towns[0]?.rank).toBe(0);
  expect(map.towns.map(({ name }) => name)).toContain("Manila");
});
