import { compileBlank, type LatLng, LatLngSchema, type Parcel, ParcelSchema } from "@petak/protocol";
import { isFiniteNumber, isUint32, type JsonObject } from "./plain-json.ts";

/** What {@link originOf} and {@link parcelOf} read. */
export const originFields = ["latitude", "longitude"];
export const parcelFields = ["widthMm", "heightMm", "depthMm", "massG"];

const blankParcel = compileBlank(ParcelSchema);

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
