import { type DescMessage, isFieldSet, type MessageShape } from "@bufbuild/protobuf";
import { DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { FindNearestResponseSchema, type SiteOption, SiteOptionSchema } from "@petak/protocol";
import { type AnswerEncoder, ByteOutput, varintBytes } from "../../../transport/index.ts";
import { createLastEncoding, siteEncodings } from "./encodings.ts";
import { textJson, timestampJson } from "./json-text.ts";

const timestamps = createLastEncoding(TimestampSchema, timestampJson);
const durations = createLastEncoding(DurationSchema);

const answerHasOther = hasOther(FindNearestResponseSchema, ["options"]);
const optionHasOther = hasOther(SiteOptionSchema, ["site", "distanceM", "sizeClassId", "freeToPromise", "observedAt", "ttl"]);

const [openingBrace, closingBrace, comma] = [0x7b, 0x7d, 0x2c];
const jsonKeys = {
  options: Buffer.from('{"options":['),
  site: Buffer.from('"site":'),
  distanceM: Buffer.from('"distanceM":'),
  sizeClassId: Buffer.from('"sizeClassId":'),
  freeToPromise: Buffer.from('"freeToPromise":'),
  observedAt: Buffer.from('"observedAt":'),
  ttl: Buffer.from('"ttl":'),
  end: Buffer.from("]}"),
};

/** Tags of the Protobuf fields, one byte each. */
const tags = { option: 0x0a, site: 0x0a, distanceM: 0x11, sizeClassId: 0x1a, freeToPromise: 0x20, observedAt: 0x2a, ttl: 0x32 };

const doubleBytes = 8;

/** Buffer that all responses are written to. */
const output = new ByteOutput();

/**
 * Encodes responses of FindNearest, with each site's summary encoded once. Returns undefined to leave a response to the library.
 *
 * Rent (`npm run bench -- rent`, commit 1254f10): 17 to 23 % of the processor time of a search from all over the city.
 */
export const optionsEncoder: AnswerEncoder<typeof FindNearestResponseSchema> = {
  schema: FindNearestResponseSchema,
  json(answer) {
    const { options } = answer;
    if (answerHasOther(answer) || options.length === 0) return undefined;
    output.clear().bytes(jsonKeys.options);
    for (let index = 0; index < options.length; index++) {
      const option = options[index] as SiteOption;
      if (isUnknown(option) || !Number.isFinite(option.distanceM)) return undefined;
      if (index > 0) output.byte(comma);
      writeJson(option);
    }
    output.bytes(jsonKeys.end);
    return output.written;
  },
  binary(answer) {
    const { options } = answer;
    if (answerHasOther(answer)) return undefined;
    output.clear();
    for (let index = 0; index < options.length; index++) {
      const option = options[index] as SiteOption;
      if (isUnknown(option)) return undefined;
      output.byte(tags.option);
      writeBinary(option);
    }
    return output.written;
  },
};

function isUnknown(option: SiteOption): boolean {
  return optionHasOther(option) || !isUint32(option.freeToPromise);
}

function writeJson({ site, distanceM, sizeClassId, freeToPromise, observedAt, ttl }: SiteOption): void {
  let before = openingBrace;
  if (site !== undefined) {
    before = writeKey(before, jsonKeys.site);
    output.bytes(siteEncodings.json(site));
  }
  if (!Object.is(distanceM, 0)) {
    before = writeKey(before, jsonKeys.distanceM);
    output.latin1(String(Object.is(distanceM, -0) ? 0 : distanceM));
  }
  if (sizeClassId !== "") {
    before = writeKey(before, jsonKeys.sizeClassId);
    output.utf8(textJson(sizeClassId));
  }
  if (freeToPromise !== 0) {
    before = writeKey(before, jsonKeys.freeToPromise);
    output.decimal(freeToPromise);
  }
  if (observedAt !== undefined) {
    before = writeKey(before, jsonKeys.observedAt);
    output.latin1(timestamps.json(observedAt));
  }
  if (ttl !== undefined) {
    before = writeKey(before, jsonKeys.ttl);
    output.latin1(durations.json(ttl));
  }
  if (before === openingBrace) output.byte(openingBrace);
  output.byte(closingBrace);
}

/** Writes a key after its separator. Returns the separator of the next key. */
function writeKey(before: number, key: Uint8Array): number {
  output.byte(before);
  output.bytes(key);
  return comma;
}

function writeBinary({ site, distanceM, sizeClassId, freeToPromise, observedAt, ttl }: SiteOption): void {
  const siteBytes = site && siteEncodings.binary(site);
  const observedBytes = observedAt && timestamps.binary(observedAt);
  const ttlBytes = ttl && durations.binary(ttl);
  const classBytes = sizeClassId === "" ? 0 : Buffer.byteLength(sizeClassId);
  const hasDistance = !Object.is(distanceM, 0);
  output.varint(
    fieldBytes(siteBytes?.length) +
      (hasDistance ? 1 + doubleBytes : 0) +
      fieldBytes(sizeClassId === "" ? undefined : classBytes) +
      (freeToPromise === 0 ? 0 : 1 + varintBytes(freeToPromise)) +
      fieldBytes(observedBytes?.length) +
      fieldBytes(ttlBytes?.length),
  );
  if (siteBytes !== undefined) writeField(tags.site, siteBytes);
  if (hasDistance) {
    output.byte(tags.distanceM);
    output.double(distanceM);
  }
  if (sizeClassId !== "") {
    output.byte(tags.sizeClassId);
    output.varint(classBytes);
    output.utf8(sizeClassId);
  }
  if (freeToPromise !== 0) {
    output.byte(tags.freeToPromise);
    output.varint(freeToPromise);
  }
  if (observedBytes !== undefined) writeField(tags.observedAt, observedBytes);
  if (ttlBytes !== undefined) writeField(tags.ttl, ttlBytes);
}

/** Encoded length of a field including its tag and length. Undefined `valueBytes`: the field is not set. */
function fieldBytes(valueBytes: number | undefined): number {
  return valueBytes === undefined ? 0 : 1 + varintBytes(valueBytes) + valueBytes;
}

function writeField(tag: number, value: Uint8Array): void {
  output.byte(tag);
  output.varint(value.length);
  output.bytes(value);
}

/** Makes a test of whether a message has a field set that is not in `known`, or one that is not in its schema. */
function hasOther<Desc extends DescMessage>(schema: Desc, known: readonly string[]): (message: MessageShape<Desc>) => boolean {
  const others = schema.fields.filter(({ localName }) => !known.includes(localName));
  return (message) => {
    if (message.$unknown !== undefined) return true;
    for (const field of others) if (isFieldSet(message, field)) return true;
    return false;
  };
}

/** Whether a value is a number that a field of type uint32 takes as it is. */
function isUint32(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0xffffffff && !Object.is(value, -0);
}
