import { compileBlank, type LatLng, LatLngSchema, type Parcel, ParcelSchema } from "@petak/protocol";
import { hasOther } from "./has-other.ts";
import { isFiniteNumber, isUint32, type JsonObject } from "./plain-json.ts";

/** What {@link originOf} and {@link parcelOf} read. */
export const originFields = ["latitude", "longitude"];
export const parcelFields = ["widthMm", "heightMm", "depthMm", "massG"];

/** The constraints of geo.proto, parcel.proto and of every radius; the tests of the decoders compare them with the schema's. */
const limits = { latitude: 90, longitude: 180, sideMm: 5000, massG: 1_000_000, radiusM: 20_100_000 } as const;

const blankParcel = compileBlank(ParcelSchema);
const parcelHasOther = hasOther(ParcelSchema, parcelFields);

/** The point that an object of {@link originFields} names; undefined where a number of it is none. */
export function originOf({ latitude = 0, longitude = 0 }: JsonObject): LatLng | undefined {
  if (!isFiniteNumber(latitude) || !isFiniteNumber(longitude)) return undefined;
  return { $typeName: LatLngSchema.typeName, latitude, longitude };
}

/** The parcel that an object of {@link parcelFields} describes; undefined where a number of it is none. */
export function parcelOf({ widthMm = 0, heightMm = 0, depthMm = 0, massG = 0 }: JsonObject): Parcel | undefined {
  if (!isUint32(widthMm) || !isUint32(heightMm) || !isUint32(depthMm) || !isUint32(massG)) return undefined;
  const parcel = blankParcel();
  parcel.widthMm = widthMm;
  parcel.heightMm = heightMm;
  parcel.depthMm = depthMm;
  parcel.massG = massG;
  return parcel;
}

/** Whether a point to look from, and how far, break no constraint. */
export function isValidSearch({ origin, radiusM }: { origin?: LatLng | undefined; radiusM: number }): boolean {
  return (
    origin !== undefined &&
    Math.abs(origin.latitude) <= limits.latitude &&
    Math.abs(origin.longitude) <= limits.longitude &&
    radiusM <= limits.radiusM
  );
}

/** Whether a parcel breaks no constraint. False where it has more than its measures. */
export function isValidParcel(parcel: Parcel | undefined): boolean {
  if (parcel === undefined || parcelHasOther(parcel)) return false;
  const { widthMm, heightMm, depthMm, massG } = parcel;
  return (
    isWithin(widthMm, limits.sideMm) &&
    isWithin(heightMm, limits.sideMm) &&
    isWithin(depthMm, limits.sideMm) &&
    isWithin(massG, limits.massG)
  );
}

function isWithin(value: number, max: number): boolean {
  return value >= 1 && value <= max;
}
