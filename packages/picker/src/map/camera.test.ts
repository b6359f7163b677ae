import { createRandom, testSeed } from "@petak/testkit";
import { expect, test } from "vitest";
import { type Camera, fitted, metresPerPx, onScreen, panned, pointOf, worldOf, zoomed } from "./camera.ts";

const size = { width: 600, height: 400 };
const singapore = { latitude: 1.3521, longitude: 103.8198 };

function someCamera(): Camera {
  const random = createRandom(testSeed());
  const point = { latitude: random.float(-80, 80), longitude: random.float(-179, 179) };
  return { ...worldOf(point), zoom: random.float(2, 17) };
}

test("a point stays the same on its way to the map of the world and back", () => {
  const { latitude, longitude } = pointOf(worldOf(singapore));
  expect(latitude).toBeCloseTo(singapore.latitude, 9);
  expect(longitude).toBeCloseTo(singapore.longitude, 9);
});

test("the poles are on the map's edge", () => {
  expect(worldOf({ latitude: 90, longitude: 0 }).y).toBeCloseTo(0, 4);
  expect(worldOf({ latitude: -90, longitude: 0 }).y).toBeCloseTo(1, 4);
});

test("at the equator and zoom 11, a px is 38 m", () => {
  expect(metresPerPx(0.5, 11)).toBeCloseTo(38.2, 1);
});

test("a drag moves what is on the screen by as much", () => {
  const camera = someCamera();
  const [x, y] = onScreen(panned(camera, 30, -20), size, camera);
  expect(x).toBeCloseTo(size.width / 2 + 30, 3);
  expect(y).toBeCloseTo(size.height / 2 - 20, 3);
});

test("while one zooms, the place under the finger stays", () => {
  const camera = someCamera();
  const finger = [120, -70] as const;
  const under = panned(camera, -finger[0], -finger[1]);
  const [x, y] = onScreen(zoomed(camera, 0.7, finger), size, under);
  expect(x).toBeCloseTo(size.width / 2 + finger[0], 3);
  expect(y).toBeCloseTo(size.height / 2 + finger[1], 3);
});

test("no zoom is outside the limits, and at a limit nothing moves", () => {
  const camera = { ...worldOf(singapore), zoom: 18 };
  expect(zoomed(camera, 1, [200, 100])).toEqual(camera);
  expect(zoomed(camera, -40).zoom).toBe(1);
});

test("a fitted camera has its place in the middle and the others in sight", () => {
  const middle = worldOf(singapore);
  const others = [worldOf({ latitude: 1.36, longitude: 103.81 }), worldOf({ latitude: 1.3, longitude: 103.86 })];
  const camera = fitted(middle, others, size, 48, 16);
  expect(onScreen(camera, size, middle)).toEqual([300, 200]);
  for (const place of others) {
    const [x, y] = onScreen(camera, size, place);
    expect(x).toBeGreaterThanOrEqual(48 - 1e-6);
    expect(x).toBeLessThanOrEqual(600 - 48 + 1e-6);
    expect(y).toBeGreaterThanOrEqual(48 - 1e-6);
    expect(y).toBeLessThanOrEqual(400 - 48 + 1e-6);
  }
});

test("with nothing else to show a fitted camera is as near as it may be", () => {
  expect(fitted(worldOf(singapore), [], size, 48, 15).zoom).toBe(15);
});

test("sites on both sides of the 180th meridian are near each other", () => {
  const camera = { ...worldOf({ latitude: -17, longitude: 179.99 }), zoom: 12 };
  const [x] = onScreen(camera, size, worldOf({ latitude: -17, longitude: -179.99 }));
  expect(x).toBeGreaterThan(300);
  expect(x).toBeLessThan(600);
});
