import { create, type DescEnum, type DescField, type DescMessage, getOption, type Message, ScalarType } from "@bufbuild/protobuf";
import { DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { type FieldRules, field as fieldRules } from "../../gen/buf/validate/validate_pb.ts";

/** Deeper messages stay empty: some have one of their own type. */
const deepest = 4;

/** No longer lists of texts, and no longer texts, are made. */
const longest = 110;

/** Nor longer lists of messages. */
const mostMessages = 2;

type Rules = FieldRules["type"];

/**
 * Messages whose values lie at the limits that the rules of their fields set, more than elsewhere.
 *
 * @param strays Whether values beyond the limits are among them, and fields that have to be set are left out; else hardly any message breaks a rule that is not
 *   an expression.
 */
export function nearRules(schema: DescMessage, strays: boolean, depth = 0): fc.Arbitrary<Message> {
  const fields = depth < deepest ? schema.fields : [];
  const values = fields.map((field) => fc.tuple(valueNear(field, strays, depth), isThere(field, strays)));
  return fc.tuple(...values).map((made) => {
    const message = create(schema);
    for (const [index, { localName, oneof }] of fields.entries()) {
      const [value, isSet] = made[index] as [unknown, boolean];
      if (!isSet) continue;
      if (oneof === undefined) Object.assign(message, { [localName]: value });
      else Object.assign(message, { [oneof.localName]: { case: localName, value } });
    }
    return message;
  });
}

/** Fields for whose zero there is a rule have to be there. */
function isThere(field: DescField, strays: boolean): fc.Arbitrary<boolean> {
  const { required, type } = getOption(field, fieldRules);
  const isNeeded = required || (type.case !== undefined && field.fieldKind !== "message");
  if (isNeeded) return strays ? fc.constantFrom(...Array<boolean>(9).fill(true), false) : fc.constant(true);
  return fc.constantFrom(true, false, false);
}

function valueNear(field: DescField, strays: boolean, depth: number): fc.Arbitrary<unknown> {
  const { type } = getOption(field, fieldRules);
  if (field.fieldKind === "map") throw new TypeError(`${field} is a map`);
  if (field.fieldKind !== "list") return oneNear(field, type, strays, depth);
  const rules = type.case === "repeated" ? type.value : undefined;
  const least = Number(rules?.minItems ?? 0);
  const most = Number(rules?.maxItems ?? 3);
  const element = oneNear(field, rules?.items?.type ?? { case: undefined }, strays, depth);
  const longestList = field.listKind === "message" ? mostMessages : longest;
  const lengths = [least, least, most, ...(strays ? [least - 1, most + 1] : [])].filter((length) => length >= 0 && length <= longestList);
  const lists = fc.constantFrom(...lengths).chain((length) => fc.array(element, { minLength: length, maxLength: length, size: "max" }));
  return rules?.unique === true && !strays ? lists.map((list) => [...new Set(list)]) : lists;
}

interface One {
  message?: DescMessage | undefined;
  enum?: DescEnum | undefined;
  scalar?: ScalarType | undefined;
}

function oneNear(of: One, rules: Rules, strays: boolean, depth: number): fc.Arbitrary<unknown> {
  if (of.enum !== undefined) return strays ? fc.constantFrom(0, 1, 2, 77) : fc.constantFrom(1, 2);
  if (of.message === undefined) return scalarNear(of.scalar as ScalarType, rules, strays);
  if (of.message.typeName === TimestampSchema.typeName) return timeNear(TimestampSchema, rules, strays, 1_790_000_000n);
  if (of.message.typeName === DurationSchema.typeName) return timeNear(DurationSchema, rules, strays, 3600n);
  return nearRules(of.message, strays, depth + 1);
}

/** The limits that rules set from both sides. */
function limitsOf<Limit>(rules: Rules): { least: Limit | undefined; most: Limit | undefined } {
  const { greaterThan, lessThan } = (rules.value ?? {}) as Record<string, { value?: Limit } | undefined>;
  return { least: greaterThan?.value, most: lessThan?.value };
}

function timeNear(
  schema: typeof TimestampSchema | typeof DurationSchema,
  rules: Rules,
  strays: boolean,
  usual: bigint,
): fc.Arbitrary<unknown> {
  const { least, most } = limitsOf<{ seconds: bigint }>(rules);
  const seconds = fc.constantFrom(usual, least?.seconds ?? usual, ...(strays ? [most?.seconds ?? usual, 10n ** 12n] : []));
  const nanos = strays ? fc.constantFrom(0, 0, 1, -1, 999_999_999, 1_000_000_000) : fc.constantFrom(0, 1);
  return fc.record({ seconds, nanos }).map((time) => create(schema, time));
}

function scalarNear(type: ScalarType, rules: Rules, strays: boolean): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return rules.case === "string" ? textNear(rules.value, strays) : fc.string({ maxLength: 5 });
    case ScalarType.BYTES: {
      const length = rules.case === "bytes" ? Number(rules.value.len) : 3;
      return fc.constantFrom(length, strays ? length + 1 : length).map((size) => new Uint8Array(size));
    }
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.DOUBLE:
      return strays
        ? fc.constantFrom(...numbersAround(rules), Number.NaN, Number.POSITIVE_INFINITY)
        : fc.constantFrom(...numbersWithin(rules));
    case ScalarType.INT32:
    case ScalarType.UINT32:
      return fc.constantFrom(...(strays ? numbersAround(rules) : numbersWithin(rules)).map((number) => Math.max(0, number)));
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return fc.constantFrom(...(strays ? numbersAround(rules) : numbersWithin(rules)).map((number) => BigInt(Math.max(0, number))));
    default:
      throw new TypeError(`no values for ${ScalarType[type]}`);
  }
}

function numbersWithin(rules: Rules): number[] {
  const { least, most } = limitsOf<number | bigint>(rules);
  return [Number(least ?? 1), Number(most ?? 1)];
}

function numbersAround(rules: Rules): number[] {
  return numbersWithin(rules).flatMap((limit) => [limit - 1, limit, limit + 1]);
}

function textNear(rules: Extract<Rules, { case: "string" }>["value"], strays: boolean): fc.Arbitrary<string> {
  const { minLen, maxLen, len, maxBytes, pattern, wellKnown } = rules;
  if (wellKnown.case === "uuid") return strays ? fc.constantFrom("", "0f", "3F1B2C4D-5e6f-4a0b-8c9d-0123456789ab") : fc.uuid();
  if (pattern !== "") {
    const matching = fc.stringMatching(new RegExp(pattern));
    return strays ? fc.oneof(matching, fc.constantFrom("", "\n", "§")) : matching;
  }
  const least = Number(len > 0n ? len : minLen);
  const most = Math.min(longest, Number([len, maxLen, maxBytes].find((limit) => limit > 0n) ?? 5n));
  const unit = strays ? fc.constantFrom("a", "é", "😀", "\ud83d") : fc.constant("a");
  const lengths = fc.constantFrom(least, most, ...(strays ? [least - 1, most + 1] : [])).map((length) => Math.max(0, length));
  return fc.tuple(unit, lengths).map(([character, length]) => character.repeat(length));
}
