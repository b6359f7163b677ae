import { create, type DescEnum, type DescField, type DescMessage, getOption, type Message, ScalarType } from "@bufbuild/protobuf";
import { DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { type FieldRules, field as fieldRules } from "../../gen/buf/validate/validate_pb.ts";

/** Messages nested deeper stay empty, because some types contain themselves. */
const deepest = 4;

/** Greatest length of generated strings and of lists of scalars. */
const longest = 110;

/** Greatest length of generated lists of messages. */
const mostMessages = 2;

/** Characters of valid strings: enough of them for many distinct strings. */
const letters = [..."abcdefghijklmnopqrstuvwxyz"];

type Rules = FieldRules["type"];

/** Generates messages that satisfy the rules of their fields, except CEL expressions, with most values at the limits. */
export function satisfyingRules(schema: DescMessage, depth = 0): fc.Arbitrary<Message> {
  const fields = depth < deepest ? schema.fields : [];
  const values = fields.map((field) => fc.tuple(valueNear(field, depth), isThere(field)));
  return fc.tuple(...values).map((made) => {
    const message = create(schema);
    for (const [index, field] of fields.entries()) {
      const [value, isSet] = made[index] as [unknown, boolean];
      if (isSet) setField(message, field, value);
    }
    return message;
  });
}

/** Generates such messages with one field, at any depth, that is missing, at a limit or beyond it. */
export function nearlyValid(schema: DescMessage, depth = 0): fc.Arbitrary<Message> {
  return fc.constantFrom(...schema.fields).chain((field) =>
    fc.tuple(satisfyingRules(schema, depth), violating(field, depth)).map(([message, value]) => {
      setField(message, field, value);
      return message;
    }),
  );
}

function setField(message: Message, { localName, oneof }: DescField, value: unknown): void {
  if (oneof === undefined) Object.assign(message, { [localName]: value });
  else Object.assign(message, { [oneof.localName]: value === undefined ? { case: undefined } : { case: localName, value } });
}

function violating(field: DescField, depth: number): fc.Arbitrary<unknown> {
  const { type } = getOption(field, fieldRules);
  const isMessage = field.message !== undefined && !isTime(field.message);
  if (field.fieldKind === "list") {
    const rules = type.case === "repeated" ? type.value : undefined;
    const ofItems = rules?.items?.type ?? { case: undefined };
    const most = Math.min(longest, Number(rules?.maxItems ?? 3));
    const good = oneNear(field, ofItems, false, depth);
    const alike = fc.constantFrom(0, 1, 2, most, most + 1).chain((length) => good.map((value) => Array<unknown>(length).fill(value)));
    const stray = isMessage && depth < deepest ? nearlyValid(field.message, depth + 1) : oneNear(field, ofItems, true, depth);
    const different = fc.constantFrom(most, most + 1).chain((length) => fc.uniqueArray(good, { minLength: length, maxLength: length }));
    const hasMany = field.listKind === "scalar" && most < 25;
    return fc.oneof(alike, fc.tuple(good, stray), ...(hasMany ? [different] : []));
  }
  if (isMessage && depth < deepest)
    return fc.oneof(fc.constant(undefined), { weight: 4, arbitrary: nearlyValid(field.message, depth + 1) });
  const stray = oneNear(field as One, type, true, depth);
  return field.fieldKind === "message" || field.oneof !== undefined
    ? fc.oneof(fc.constant(undefined), { weight: 9, arbitrary: stray })
    : stray;
}

function isTime({ typeName }: DescMessage): boolean {
  return typeName === TimestampSchema.typeName || typeName === DurationSchema.typeName;
}

/** Whether a field is set. Fields whose zero value may violate a rule are always set. */
function isThere(field: DescField): fc.Arbitrary<boolean> {
  const { required, type } = getOption(field, fieldRules);
  const isNeeded = required || (type.case !== undefined && field.fieldKind !== "message");
  return isNeeded ? fc.constant(true) : fc.constantFrom(true, false, false);
}

function valueNear(field: DescField, depth: number): fc.Arbitrary<unknown> {
  const { type } = getOption(field, fieldRules);
  if (field.fieldKind === "map") throw new TypeError(`${field} is a map`);
  if (field.fieldKind !== "list") return oneNear(field, type, false, depth);
  const rules = type.case === "repeated" ? type.value : undefined;
  const least = Number(rules?.minItems ?? 0);
  const most = Number(rules?.maxItems ?? 3);
  const element = oneNear(field, rules?.items?.type ?? { case: undefined }, false, depth);
  const longestList = field.listKind === "message" ? mostMessages : longest;
  const lengths = [least, least, most].filter((length) => length <= longestList);
  const lists = fc.constantFrom(...lengths).chain((length) => fc.array(element, { minLength: length, maxLength: length, size: "max" }));
  return rules?.unique === true ? lists.map((list) => [...new Set(list)]) : lists;
}

interface One {
  message?: DescMessage | undefined;
  enum?: DescEnum | undefined;
  scalar?: ScalarType | undefined;
}

function oneNear(of: One, rules: Rules, mayViolate: boolean, depth: number): fc.Arbitrary<unknown> {
  if (of.enum !== undefined) return mayViolate ? fc.constantFrom(0, 1, 2, 77) : fc.constantFrom(1, 2);
  if (of.message === undefined) return scalarNear(of.scalar as ScalarType, rules, mayViolate);
  if (of.message.typeName === TimestampSchema.typeName) return timeNear(TimestampSchema, rules, mayViolate, 1_790_000_000n);
  if (of.message.typeName === DurationSchema.typeName) return timeNear(DurationSchema, rules, mayViolate, 3600n);
  return satisfyingRules(of.message, depth + 1);
}

/** The lower and upper limit that rules set. */
function limitsOf<Limit>(rules: Rules): { least: Limit | undefined; most: Limit | undefined } {
  const { greaterThan, lessThan } = (rules.value ?? {}) as Record<string, { value?: Limit } | undefined>;
  return { least: greaterThan?.value, most: lessThan?.value };
}

function timeNear(
  schema: typeof TimestampSchema | typeof DurationSchema,
  rules: Rules,
  mayViolate: boolean,
  usual: bigint,
): fc.Arbitrary<unknown> {
  const { least, most } = limitsOf<{ seconds: bigint }>(rules);
  const limits = [least?.seconds ?? usual, most?.seconds ?? usual];
  const around = mayViolate ? [...limits, ...limits.map((limit) => limit - 1n), 10n ** 12n, -(10n ** 12n)] : limits.slice(0, 1);
  const seconds = fc.constantFrom(usual, ...around);
  const nanos = mayViolate ? fc.constantFrom(0, 1, -1, 999_999_999, 1_000_000_000) : fc.constantFrom(0, 1);
  return fc.record({ seconds, nanos }).map((time) => create(schema, time));
}

function scalarNear(type: ScalarType, rules: Rules, mayViolate: boolean): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return rules.case === "string" ? textNear(rules.value, mayViolate) : fc.string({ maxLength: 5 });
    case ScalarType.BYTES: {
      return fc.constantFrom(...lengthsNear(rules, mayViolate)).map((size) => new Uint8Array(size));
    }
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.DOUBLE:
      return mayViolate
        ? fc.constantFrom(...numbersAround(rules), Number.NaN, Number.POSITIVE_INFINITY)
        : fc.constantFrom(...numbersWithin(rules));
    case ScalarType.INT32:
    case ScalarType.FIXED32:
    case ScalarType.UINT32:
      return fc.constantFrom(...(mayViolate ? numbersAround(rules) : numbersWithin(rules)).map((number) => Math.max(0, number)));
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return fc.constantFrom(...(mayViolate ? numbersAround(rules) : numbersWithin(rules)).map((number) => BigInt(Math.max(0, number))));
    default:
      throw new TypeError(`no values for ${ScalarType[type]}`);
  }
}

/** Lengths of bytes. */
function lengthsNear(rules: Rules, mayViolate: boolean): [number, ...number[]] {
  const { len = 0n, maxLen = 0n } = rules.case === "bytes" ? rules.value : { len: 3n };
  if (len > 0n) return mayViolate ? [Number(len), Number(len) - 1, Number(len) + 1] : [Number(len)];
  return mayViolate ? [Number(maxLen), 0, Number(maxLen) + 1] : [Number(maxLen), 0];
}

function numbersWithin(rules: Rules): number[] {
  const { least, most } = limitsOf<number | bigint>(rules);
  return [Number(least ?? 1), Number(most ?? 1)];
}

function numbersAround(rules: Rules): number[] {
  return numbersWithin(rules).flatMap((limit) => [limit - 1, limit, limit + 1]);
}

function textNear(rules: Extract<Rules, { case: "string" }>["value"], mayViolate: boolean): fc.Arbitrary<string> {
  const { minLen, maxLen, len, maxBytes, pattern, wellKnown } = rules;
  if (wellKnown.case === "uuid") return mayViolate ? fc.constantFrom("", "0f", "3F1B2C4D-5e6f-4a0b-8c9d-0123456789ab") : fc.uuid();
  if (pattern !== "") {
    const matching = fc.stringMatching(new RegExp(pattern));
    return mayViolate ? fc.oneof(matching, fc.constantFrom("", "\n", "§")) : matching;
  }
  const least = Number(len > 0n ? len : minLen);
  const most = Math.min(longest, Number([len, maxLen, maxBytes].find((limit) => limit > 0n) ?? 5n));
  const unit = mayViolate ? fc.constantFrom("a", "é", "€", "😀", "\ud83d", "\n", "\u001b", "\u202e") : fc.constantFrom(...letters);
  const around = mayViolate ? [least - 1, most + 1, Math.floor(most / 2), Math.ceil(most / 2)] : [];
  const lengths = fc.constantFrom(least, most, ...around).map((length) => Math.max(0, length));
  // Characters of two UTF-16 code units alone cannot make an odd length.
  const rest = mayViolate ? fc.constantFrom("", "a") : fc.constant("");
  return fc.tuple(unit, lengths, rest).map(([character, length, end]) => character.repeat(length) + end);
}
