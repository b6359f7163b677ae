import { create, isFieldSet } from "@bufbuild/protobuf";
import { type FindNearestRequest, FindNearestRequestSchema, LatLngSchema, type Parcel, ParcelSchema } from "@petak/protocol";
import type { RequestDecoder } from "../server/index.ts";

type JsonObject = Record<string, unknown>;

const requestFields = ["origin", "parcel", "limit", "radiusM"];
const originFields = ["latitude", "longitude"];
const parcelFields = ["widthMm", "heightMm", "depthMm", "massG"];

const otherRequestFields = FindNearestRequestSchema.fields.filter(({ localName }) => !requestFields.includes(localName));
const otherParcelFields = ParcelSchema.fields.filter(({ localName }) => !parcelFields.includes(localName));

/** The constraints of directory.proto and parcel.proto; nearest-decoder.test.ts compares them with the schema's. */
const limits = { sideMm: 5000, massG: 1_000_000, options: 50, radiusM: 20_100_000 } as const;

/** Decodes what most callers of FindNearest send: where, what, how many, how far. */
export const nearestDecoder: RequestDecoder<typeof FindNearestRequestSchema> = {
  schema: FindNearestRequestSchema,
  json(text) {
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      return undefined;
    }
    if (!isObjectOf(parsed, requestFields)) return undefined;
    const { origin, parcel, limit = 0, radiusM = 0 } = parsed;
    if (!isObjectOf(origin, originFields) || !isObjectOf(parcel, parcelFields)) return undefined;
    const { latitude = 0, longitude = 0 } = origin;
    const { widthMm = 0, heightMm = 0, depthMm = 0, massG = 0 } = parcel;
    if (typeof latitude !== "number" || typeof longitude !== "number") return undefined;
    if (!isUint32(widthMm) || !isUint32(heightMm) || !isUint32(depthMm) || !isUint32(massG)) return undefined;
    if (!isUint32(limit) || !isUint32(radiusM)) return undefined;
    // JSON.parse takes the last of several equal keys, the protocol none of them: a colon too many is one of those, or in a text.
    const keys = Object.keys(parsed).length + Object.keys(origin).length + Object.keys(parcel).length;
    if (countColons(text) !== keys) return undefined;
    return create(FindNearestRequestSchema, {
      origin: create(LatLngSchema, { latitude, longitude }),
      parcel: create(ParcelSchema, { widthMm, heightMm, depthMm, massG }),
      limit,
      radiusM,
    });
  },
  isKnownValid(request) {
    return (
      request.$unknown === undefined &&
      !otherRequestFields.some((field) => isFieldSet(request, field)) &&
      request.limit <= limits.options &&
      request.radiusM <= limits.radiusM &&
      isValidOrigin(request.origin) &&
      isValidParcel(request.parcel)
    );
  },
};

function isValidOrigin(origin: FindNearestRequest["origin"]): boolean {
  return origin !== undefined && Math.abs(origin.latitude) <= 90 && Math.abs(origin.longitude) <= 180;
}

function isValidParcel(parcel: Parcel | undefined): boolean {
  if (parcel === undefined || parcel.$unknown !== undefined || otherParcelFields.some((field) => isFieldSet(parcel, field))) return false;
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

function isObjectOf(value: unknown, fields: readonly string[]): value is JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  for (const key of Object.keys(value)) if (!fields.includes(key)) return false;
  return true;
}

function isUint32(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0xffffffff && !Object.is(value, -0);
}

function countColons(text: string): number {
  let count = 0;
  for (let at = text.indexOf(":"); at >= 0; at = text.indexOf(":", at + 1)) count += 1;
  return count;
}
