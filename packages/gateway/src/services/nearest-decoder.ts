import { compileBlank, FindNearestRequestSchema } from "@petak/protocol";
import type { RequestDecoder } from "../server/index.ts";
import { hasKeysOnce, isObjectOf, isUint32, parseJson } from "./plain-json.ts";
import { originFields, originOf, parcelFields, parcelOf } from "./plain-place.ts";

const requestFields = ["origin", "parcel", "limit", "radiusM"];

const blankRequest = compileBlank(FindNearestRequestSchema);
/** Decodes what most callers of FindNearest send: where, what, how many, how far. */
export const nearestDecoder: RequestDecoder<typeof FindNearestRequestSchema> = {
  schema: FindNearestRequestSchema,
  json(text) {
    const parsed = parseJson(text);
    if (!isObjectOf(parsed, requestFields)) return undefined;
    const { limit = 0, radiusM = 0 } = parsed;
    if (!isObjectOf(parsed.origin, originFields) || !isObjectOf(parsed.parcel, parcelFields)) return undefined;
    const origin = originOf(parsed.origin);
    const parcel = parcelOf(parsed.parcel);
    if (origin === undefined || parcel === undefined || !isUint32(limit) || !isUint32(radiusM)) return undefined;
    if (!hasKeysOnce(text, parsed, parsed.origin, parsed.parcel)) return undefined;
    const request = blankRequest();
    request.origin = origin;
    request.parcel = parcel;
    request.limit = limit;
    request.radiusM = radiusM;
    return request;
  },
};
