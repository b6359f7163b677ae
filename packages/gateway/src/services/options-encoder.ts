import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { FindNearestResponseSchema, type SiteOption, SiteOptionSchema } from "@petak/protocol";
import type { AnswerEncoder } from "../server/index.ts";
import { createLastEncoding, siteEncodings } from "./encodings.ts";
import { hasOther } from "./has-other.ts";
import { textJson, timestampJson } from "./json-text.ts";

const timestamps = createLastEncoding(TimestampSchema, timestampJson);
const durations = createLastEncoding(DurationSchema);

const answerHasOther = hasOther(FindNearestResponseSchema, ["options"]);
const optionHasOther = hasOther(SiteOptionSchema, ["site", "distanceM", "sizeClassId", "freeToPromise", "observedAt", "ttl"]);

/** Encodes what FindNearest answers, with each site's summary encoded once. */
export const optionsEncoder: AnswerEncoder<typeof FindNearestResponseSchema> = {
  schema: FindNearestResponseSchema,
  json(answer) {
    if (answerHasOther(answer) || answer.options.length === 0) return undefined;
    let text = "";
    for (const option of answer.options) {
      if (optionHasOther(option) || !Number.isFinite(option.distanceM)) return undefined;
      text += `,{${optionJson(option)}}`;
    }
    return `{"options":[${text.slice(1)}]}`;
  },
  binary(answer) {
    if (answerHasOther(answer) || answer.options.some(optionHasOther)) return undefined;
    const writer = new BinaryWriter();
    for (const option of answer.options) writeOption(writer.tag(1, WireType.LengthDelimited).fork(), option).join();
    return writer.finish();
  },
};

function optionJson({ site, distanceM, sizeClassId, freeToPromise, observedAt, ttl }: SiteOption): string {
  let fields = "";
  if (site !== undefined) fields += `,"site":${siteEncodings.json(site)}`;
  if (!Object.is(distanceM, 0)) fields += `,"distanceM":${distanceM}`;
  if (sizeClassId !== "") fields += `,"sizeClassId":${textJson(sizeClassId)}`;
  if (freeToPromise !== 0) fields += `,"freeToPromise":${freeToPromise}`;
  if (observedAt !== undefined) fields += `,"observedAt":${timestamps.json(observedAt)}`;
  if (ttl !== undefined) fields += `,"ttl":${durations.json(ttl)}`;
  return fields.slice(1);
}

function writeOption(writer: BinaryWriter, { site, distanceM, sizeClassId, freeToPromise, observedAt, ttl }: SiteOption): BinaryWriter {
  if (site !== undefined) writer.tag(1, WireType.LengthDelimited).bytes(siteEncodings.binary(site));
  if (!Object.is(distanceM, 0)) writer.tag(2, WireType.Bit64).double(distanceM);
  if (sizeClassId !== "") writer.tag(3, WireType.LengthDelimited).string(sizeClassId);
  if (freeToPromise !== 0) writer.tag(4, WireType.Varint).uint32(freeToPromise);
  if (observedAt !== undefined) writer.tag(5, WireType.LengthDelimited).bytes(timestamps.binary(observedAt));
  if (ttl !== undefined) writer.tag(6, WireType.LengthDelimited).bytes(durations.binary(ttl));
  return writer;
}
