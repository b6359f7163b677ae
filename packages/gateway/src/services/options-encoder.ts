import { type DescMessage, isFieldSet, type Message, type MessageShape, toBinary, toJsonString } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { DurationSchema, type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { FindNearestResponseSchema, type SiteOption, SiteOptionSchema, SiteSummarySchema } from "@petak/protocol";
import type { AnswerEncoder } from "../server/index.ts";

/** What a message looks like on the wire, made at first use. */
interface Encoded {
  json?: string;
  binary?: Uint8Array;
}

/**
 * Remembers the encodings of messages that are the same object in many answers, as the summary of a site is. Such messages must not change.
 */
function createEncodings<Desc extends DescMessage>(
  schema: Desc,
  toJson: (message: MessageShape<Desc>) => string = (message) => toJsonString(schema, message),
) {
  const known = new WeakMap<Message, Encoded>();
  const encodedOf = (message: MessageShape<Desc>): Encoded => {
    let encoded = known.get(message);
    if (encoded === undefined) {
      encoded = {};
      known.set(message, encoded);
    }
    return encoded;
  };
  return {
    json(message: MessageShape<Desc>): string {
      const encoded = encodedOf(message);
      encoded.json ??= toJson(message);
      return encoded.json;
    },
    binary(message: MessageShape<Desc>): Uint8Array {
      const encoded = encodedOf(message);
      encoded.binary ??= toBinary(schema, message);
      return encoded.binary;
    },
  };
}

/** Remembers the encoding of the message that was encoded last: all options of an answer mostly have the same one. It must not change. */
function createLastEncoding<Desc extends DescMessage>(
  schema: Desc,
  toJson: (message: MessageShape<Desc>) => string = (message) => toJsonString(schema, message),
) {
  let lastOfJson: Message | undefined;
  let lastOfBinary: Message | undefined;
  let json = "";
  let binary: Uint8Array = new Uint8Array();
  return {
    json(message: MessageShape<Desc>): string {
      if (message !== lastOfJson) {
        json = toJson(message);
        lastOfJson = message;
      }
      return json;
    },
    binary(message: MessageShape<Desc>): Uint8Array {
      if (message !== lastOfBinary) {
        binary = toBinary(schema, message);
        lastOfBinary = message;
      }
      return binary;
    },
  };
}

const sites = createEncodings(SiteSummarySchema);
const timestamps = createLastEncoding(TimestampSchema, timestampJson);
const durations = createLastEncoding(DurationSchema);

/** Whether a message has a field beyond those listed, or one that is not in the schema. */
function hasOther<Desc extends DescMessage>(schema: Desc, known: readonly string[]): (message: MessageShape<Desc>) => boolean {
  const others = schema.fields.filter(({ localName }) => !known.includes(localName));
  return (message) => message.$unknown !== undefined || others.some((field) => isFieldSet(message, field));
}

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
  if (site !== undefined) fields += `,"site":${sites.json(site)}`;
  if (!Object.is(distanceM, 0)) fields += `,"distanceM":${distanceM}`;
  if (sizeClassId !== "") fields += `,"sizeClassId":${plainText.test(sizeClassId) ? `"${sizeClassId}"` : JSON.stringify(sizeClassId)}`;
  if (freeToPromise !== 0) fields += `,"freeToPromise":${freeToPromise}`;
  if (observedAt !== undefined) fields += `,"observedAt":${timestamps.json(observedAt)}`;
  if (ttl !== undefined) fields += `,"ttl":${durations.json(ttl)}`;
  return fields.slice(1);
}

/** A text that JSON writes as it is. */
const plainText = /^[A-Za-z0-9_-]+$/;

/** A time as the library writes it, without its detours where the time is one of this age in whole ms. */
function timestampJson(time: Timestamp): string {
  const { seconds, nanos } = time;
  const isPlain =
    time.$unknown === undefined && seconds >= 0n && seconds < 100_000_000_000n && nanos % 1_000_000 === 0 && nanos >= 0 && nanos < 1e9;
  if (!isPlain) return toJsonString(TimestampSchema, time);
  const text = new Date(Number(seconds) * 1000 + nanos / 1_000_000).toISOString();
  return nanos === 0 ? `"${text.slice(0, -5)}Z"` : `"${text}"`;
}

function writeOption(writer: BinaryWriter, { site, distanceM, sizeClassId, freeToPromise, observedAt, ttl }: SiteOption): BinaryWriter {
  if (site !== undefined) writer.tag(1, WireType.LengthDelimited).bytes(sites.binary(site));
  if (!Object.is(distanceM, 0)) writer.tag(2, WireType.Bit64).double(distanceM);
  if (sizeClassId !== "") writer.tag(3, WireType.LengthDelimited).string(sizeClassId);
  if (freeToPromise !== 0) writer.tag(4, WireType.Varint).uint32(freeToPromise);
  if (observedAt !== undefined) writer.tag(5, WireType.LengthDelimited).bytes(timestamps.binary(observedAt));
  if (ttl !== undefined) writer.tag(6, WireType.LengthDelimited).bytes(durations.binary(ttl));
  return writer;
}
