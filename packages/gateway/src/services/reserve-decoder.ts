import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";
import { compileBlank, NearestPlaceSchema, Purpose, PurposeSchema, ReserveRequestSchema, SiteRequirementsSchema } from "@petak/protocol";
import type { RequestDecoder } from "../server/index.ts";
import { hasKeysOnce, isObjectOf, isText, isUint32, type JsonObject, parseJson } from "./plain-json.ts";
import { originFields, originOf, parcelFields, parcelOf } from "./plain-place.ts";

const requestFields = ["requestId", "nearest", "parcel", "purpose", "partnerReference", "holdDuration", "requirements"];
const placeFields = ["origin", "radiusM"];
const requirementFields = ["anyCountry"];

const blankRequest = compileBlank(ReserveRequestSchema);
const blankPlace = compileBlank(NearestPlaceSchema);
const blankRequirements = compileBlank(SiteRequirementsSchema);

const purposes = new Map<unknown, Purpose>(PurposeSchema.values.map(({ name, number }) => [name, number as Purpose]));
const wholeSeconds = /^\d{1,6}s$/;
const noRequirements: JsonObject = {};

/** Decodes what most callers of Reserve send: the nearest place for a parcel, and how to hold it. */
export const reserveDecoder: RequestDecoder<typeof ReserveRequestSchema> = {
  schema: ReserveRequestSchema,
  json(text) {
    const parsed = parseJson(text);
    if (!isObjectOf(parsed, requestFields)) return undefined;
    const { requestId = "", nearest, partnerReference = "", requirements = noRequirements } = parsed;
    if (!isObjectOf(nearest, placeFields) || !isObjectOf(nearest.origin, originFields)) return undefined;
    if (!isObjectOf(parsed.parcel, parcelFields) || !isObjectOf(requirements, requirementFields)) return undefined;
    const { radiusM = 0 } = nearest;
    const { anyCountry = false } = requirements;
    if (!isText(requestId) || !isText(partnerReference) || !isUint32(radiusM) || typeof anyCountry !== "boolean") return undefined;
    const origin = originOf(nearest.origin);
    const parcel = parcelOf(parsed.parcel);
    const purpose = parsed.purpose === undefined ? Purpose.UNSPECIFIED : purposes.get(parsed.purpose);
    if (origin === undefined || parcel === undefined || purpose === undefined) return undefined;
    const request = blankRequest();
    if (parsed.holdDuration !== undefined) {
      const holdDuration = durationOf(parsed.holdDuration);
      if (holdDuration === undefined) return undefined;
      request.holdDuration = holdDuration;
    }
    if (!hasKeysOnce(text, parsed, nearest, nearest.origin, parsed.parcel, requirements)) return undefined;
    const place = blankPlace();
    place.origin = origin;
    place.radiusM = radiusM;
    request.requestId = requestId;
    request.place = { case: "nearest", value: place };
    request.parcel = parcel;
    request.purpose = purpose;
    request.partnerReference = partnerReference;
    if (requirements !== noRequirements) {
      request.requirements = blankRequirements();
      request.requirements.anyCountry = anyCountry;
    }
    return request;
  },
};

/** A duration in whole seconds. */
function durationOf(value: unknown): Duration | undefined {
  if (typeof value !== "string" || !wholeSeconds.test(value)) return undefined;
  const duration = create(DurationSchema);
  duration.seconds = BigInt(value.slice(0, -1));
  return duration;
}
