import type { Observation } from "../capacity/observation.ts";
import { earthRadiusM } from "../geo/great-circle.ts";
import { type Position, unitsPerDegree } from "../geo/position.ts";
import { countryOffset, freeOffset, observedAtOffset, openingHoursOffset, recordBytes, ttlOffset } from "./record.ts";

/**
 * A block taken apart, field by field and not site by site, so that a search looks at a site's flags without touching its other fields.
 * Made once for each state of a block, which many queries then scan.
 */
export interface DecodedBlock {
  /** The block itself. */
  readonly bytes: Buffer;
  /** How many sites it has. */
  readonly count: number;
  readonly flags: Uint32Array;
  readonly operatorNumbers: Uint16Array;
  readonly profileNumbers: Uint16Array;
  readonly countries: Uint16Array;
  readonly openingHours: Uint16Array;
  /** When each site's report was observed, in s since 1970; 0: its counts are the gateway's own. */
  readonly observedAtS: Uint32Array;
  /** How long that report holds, in s. */
  readonly ttlS: Uint16Array;
  /** Where each site is, as points of a sphere of radius 1: x, y and z, three in a row. */
  readonly points: Float64Array;
}

/** Takes a block apart. What is cut off at its end is left out. */
export function decodeBlock(bytes: Buffer): DecodedBlock {
  const count = Math.floor(bytes.length / recordBytes);
  const block = {
    bytes,
    count,
    flags: new Uint32Array(count),
    operatorNumbers: new Uint16Array(count),
    profileNumbers: new Uint16Array(count),
    countries: new Uint16Array(count),
    openingHours: new Uint16Array(count),
    observedAtS: new Uint32Array(count),
    ttlS: new Uint16Array(count),
    points: new Float64Array(3 * count),
  };
  for (let index = 0; index < count; index++) {
    const offset = index * recordBytes;
    block.flags[index] = bytes.readUInt32LE(offset + 16);
    block.operatorNumbers[index] = bytes.readUInt16LE(offset + 20);
    block.profileNumbers[index] = bytes.readUInt16LE(offset + 22);
    block.countries[index] = bytes.readUInt16LE(offset + countryOffset);
    block.openingHours[index] = bytes.readUInt16LE(offset + openingHoursOffset);
    block.observedAtS[index] = bytes.readUInt32LE(offset + observedAtOffset);
    block.ttlS[index] = bytes.readUInt16LE(offset + ttlOffset);
    block.points.set(unitPoint(positionAt(bytes, offset)), 3 * index);
  }
  return block;
}

/** Where the site of a record is. */
export function positionAt(bytes: Buffer, offset: number): Position {
  return { latitude: bytes.readInt32LE(offset + 4) / unitsPerDegree, longitude: bytes.readInt32LE(offset + 8) / unitsPerDegree };
}

/** When the counts of a record were observed; undefined where they are the gateway's own. */
export function observationAt(bytes: Buffer, offset: number): Observation | undefined {
  const observedAtS = bytes.readUInt32LE(offset + observedAtOffset);
  return observedAtS === 0 ? undefined : { observedAtMs: observedAtS * 1000, ttlMs: bytes.readUInt16LE(offset + ttlOffset) * 1000 };
}

/** Free to promise of a size class, 255 meaning 255 or more. */
export function freeAt(bytes: Buffer, offset: number, classIndex: number): number {
  return bytes[offset + freeOffset + classIndex] ?? 0;
}

const radiansPerDegree = Math.PI / 180;

/** A position as a point of a sphere of radius 1. */
export function unitPoint({ latitude, longitude }: Position): [x: number, y: number, z: number] {
  const [theta, phi] = [latitude * radiansPerDegree, longitude * radiansPerDegree];
  const across = Math.cos(theta);
  return [across * Math.cos(phi), across * Math.sin(phi), Math.sin(theta)];
}

/** Coordinates of unit points are good to some 1e-16, and so a straight line to some nanometres; this covers it a million times. In m. */
const pointSlackM = 0.01;

/**
 * The square of the straight line through a sphere of radius 1 beyond which a point is surely farther than `distanceM` along its surface:
 * the way along the surface is never shorter than the straight one.
 */
export function surelyBeyond(distanceM: number): number {
  return ((distanceM + pointSlackM) / earthRadiusM) ** 2;
}
