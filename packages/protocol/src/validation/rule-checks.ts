import { type DescEnum, getExtension, isFieldSet, type Message } from "@bufbuild/protobuf";
import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import { type FieldRules, FieldRulesSchema, Ignore } from "../gen/buf/validate/validate_pb.ts";
import { printable } from "../gen/petak/v1/text_rules_pb.ts";
import { isPrintable } from "./printable-text.ts";

/** Returns true only if a value satisfies a rule. False is inconclusive. */
export type Check = (value: unknown) => boolean;

/** The compiled rules of a field. */
export interface RuleChecks {
  /** Whether the field must be set. */
  readonly isRequired: boolean;
  /** Whether the zero value is exempt from the rules. */
  readonly letsZeroPass: boolean;
  /** Checks of the value; for a list, of the list as a whole. */
  readonly ofValue: readonly Check[];
  /** For a list: checks of each element. */
  readonly ofElement: readonly Check[];
}

/** Compiles one rule, given its value in the schema. */
type MakeCheck = (wanted: never, ofEnum: DescEnum | undefined) => Check;

/** Matches strings in which every UTF-16 code unit is one character. */
const plainText = /^[^\ud800-\udfff]*$/;

/** The pattern of protovalidate. */
const uuid = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;

/** Matches syntax that RE2, which defines the patterns, and JavaScript may interpret differently. */
const ambiguousPattern = /\\[A-Za-z0-9]|\(\?|\[:/;

/** Compiles a pattern. Undefined if JavaScript may interpret it differently from RE2, or rejects it. */
function compiledPattern(pattern: string): RegExp | undefined {
  if (ambiguousPattern.test(pattern)) return undefined;
  try {
    return new RegExp(pattern, "u");
  } catch {
    // RE2 accepts unescaped literal brackets.
    return undefined;
  }
}

const utf8 = new TextEncoder();

const nanosPerSecond = 1_000_000_000n;

type Time = Timestamp | Duration;
const nanosOf = ({ seconds, nanos }: Time) => seconds * nanosPerSecond + BigInt(nanos);

const numberMakers = {
  gte: (least: number | bigint) => (value: unknown) => (value as number | bigint) >= least,
  lte: (most: number | bigint) => (value: unknown) => (value as number | bigint) <= most,
};

const timeMakers = {
  gte(least: Time) {
    const leastNanos = nanosOf(least);
    return (value: unknown) => nanosOf(value as Time) >= leastNanos;
  },
  lte(most: Time) {
    const mostNanos = nanosOf(most);
    return (value: unknown) => nanosOf(value as Time) <= mostNanos;
  },
  lt(end: Time) {
    const endNanos = nanosOf(end);
    return (value: unknown) => nanosOf(value as Time) < endNanos;
  },
};

/** Compiles a check of a length. The schema's bigint is converted, because numbers compare several times as fast. */
function ofLength(isRight: (length: number, limit: number) => boolean): MakeCheck {
  return (limit: bigint) => {
    const limitNumber = Number(limit);
    return (value) => isRight((value as { length: number }).length, limitNumber);
  };
}

/** The rules that the protocol uses, by type and name. A string has at most as many characters as UTF-16 code units. */
const makersByType: Record<string, Record<string, MakeCheck>> = {
  string: {
    minLen(limit: bigint) {
      const least = Number(limit);
      return (text) => (text as string).length >= least && (least <= 1 || plainText.test(text as string));
    },
    maxLen: ofLength((length, most) => length <= most),
    len(limit: bigint) {
      const wanted = Number(limit);
      return (text) => (text as string).length === wanted && plainText.test(text as string);
    },
    maxBytes: (most: bigint) => (text) => utf8.encode(text as string).length <= most,
    uuid: (isWanted: boolean) => (text) => !isWanted || uuid.test(text as string),
    pattern(pattern: string) {
      const expression = compiledPattern(pattern);
      return (text) => expression?.test(text as string) === true;
    },
  },
  bytes: { len: ofLength((length, wanted) => length === wanted), maxLen: ofLength((length, most) => length <= most) },
  uint32: numberMakers,
  uint64: numberMakers,
  int64: numberMakers,
  double: { ...numberMakers, finite: (isWanted: boolean) => (value) => !isWanted || Number.isFinite(value) },
  enum: {
    definedOnly: (isWanted: boolean, ofEnum) => (value) => !isWanted || ofEnum?.value[value as number] !== undefined,
    notIn: (values: readonly number[]) => (value) => !values.includes(value as number),
  },
  duration: timeMakers,
  timestamp: timeMakers,
  repeated: {
    minItems: ofLength((length, least) => length >= least),
    maxItems: ofLength((length, most) => length <= most),
    unique: (isWanted: boolean) => (list) => !isWanted || (list as unknown[]).length < 2 || areDifferent(list as unknown[]),
  },
};

/** Returns true only if all values are different. Objects are not compared. */
function areDifferent(list: readonly unknown[]): boolean {
  return typeof list[0] !== "object" && new Set(list).size === list.length;
}

/**
 * Compiles the rules of a field.
 *
 * @param ofEnum The enum type of its values or elements, if they are enums.
 * @returns Undefined if a rule is not supported.
 */
export function compileRules(rules: FieldRules, ofEnum: DescEnum | undefined): RuleChecks | undefined {
  const { cel, celExpression, required, ignore, type } = rules;
  if (ignore === Ignore.ALWAYS) return { isRequired: false, letsZeroPass: true, ofValue: [], ofElement: [] };
  if (cel.length > 0 || celExpression.length > 0 || rules.$unknown !== undefined) return undefined;
  const ofValue: Check[] = [];
  let ofElement: readonly Check[] = [];
  const { case: typeName, value: ofType } = type;
  if (typeName !== undefined) {
    if (((ofType as Message).$unknown ?? []).some(({ no }) => no !== printable.number)) return undefined;
    if (typeName === "string" && getExtension(ofType, printable)) ofValue.push((text) => isPrintable(text as string));
    for (const { name, wanted } of setRules(typeName, ofType)) {
      if (typeName === "repeated" && name === "items") {
        const ofItems = compileRules(wanted as FieldRules, ofEnum);
        if (ofItems === undefined || ofItems.letsZeroPass || ofItems.ofElement.length > 0) return undefined;
        ofElement = ofItems.ofValue;
      } else {
        const make = makersByType[typeName]?.[name];
        if (make === undefined) return undefined;
        ofValue.push(make(wanted as never, ofEnum));
      }
    }
  }
  return { isRequired: required, letsZeroPass: ignore === Ignore.IF_ZERO_VALUE, ofValue, ofElement };
}

/** The rules of one type that are set, with their values. */
function setRules(typeName: NonNullable<FieldRules["type"]["case"]>, rules: Message): { name: string; wanted: unknown }[] {
  const fields = FieldRulesSchema.field[typeName].message?.fields ?? [];
  return fields
    .filter((field) => isFieldSet(rules, field))
    .map(({ localName, oneof }) => {
      const values = rules as unknown as Record<string, { value?: unknown }>;
      return { name: localName, wanted: oneof === undefined ? values[localName] : values[oneof.localName]?.value };
    });
}
