import { ReservationSchema, ReserveResponseSchema } from "@petak/protocol";
import { compileEncoder } from "@petak/protocol/wire";
import type { AnswerEncoder } from "../server/index.ts";
import { siteEncodings } from "./encodings.ts";
import { hasOther } from "./has-other.ts";
import { compileJsonEncoder } from "./json-encoder.ts";

const answerHasOther = hasOther(ReserveResponseSchema, ["reservation", "site", "distanceM"]);
const reservationJson = compileJsonEncoder(ReservationSchema);
const encode = compileEncoder(ReserveResponseSchema);

/** Encodes what Reserve answers, as JSON with each site's summary encoded once. */
export const reserveEncoder: AnswerEncoder<typeof ReserveResponseSchema> = {
  schema: ReserveResponseSchema,
  json(answer) {
    const { reservation, site, distanceM } = answer;
    if (reservation === undefined || answerHasOther(answer) || !Number.isFinite(distanceM)) return undefined;
    const siteField = site === undefined ? "" : `,"site":${siteEncodings.json(site)}`;
    const distanceField = Object.is(distanceM, 0) ? "" : `,"distanceM":${distanceM}`;
    return `{"reservation":${reservationJson(reservation)}${siteField}${distanceField}}`;
  },
  binary: (answer) => encode(answer, { writeUnknownFields: true }),
};
