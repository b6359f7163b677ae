import { type DescEnum, isFieldSet, type Message } from "@bufbuild/protobuf";
import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import { type FieldRules, FieldRulesSchema, Ignore } from "../gen/buf/validate/validate_pb.ts";

/** Whether a value surely keeps a rule. False: it breaks it, or it is not looked at closely enough. */
export type Check = (value: unknown) => boolean;

/** What the rules of a field ask of its values. */
export interface RuleChecks {
  /** Whether it has to be set. */
  readonly isRequired: boolean;
  /** Whether no rule is about the zero of its type. */
  readonly letsZeroPass: boolean;
  /** Of a list: what all of it has to keep. */
  readonly ofValue: readonly Check[];
  /** Of a list: what each of its elements has to keep. */
  readonly ofElement: readonly Check[];
}

/** Makes the check of one rule from what the schema asks for. */
type MakeCheck = (wanted: never, ofEnum: DescEnum | undefined) => Check;

/** A text in which every unit of UTF-16 is a character. */
const plainText = /^[^\ud800-\udfff]*$/;

/** As protovalidate has it. */
const uuid = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;

/** What RE2, in whose syntax patterns are, and JavaScript may take for different things. */
const ambiguousPattern = /\\[A-Za-z0-9]|\(\?|\[:/;

/** A pattern as JavaScript has it; undefined where it may mean something else there, or nothing. */
function understood(pattern: string): RegExp | undefined {
  if (ambiguousPattern.test(pattern)) return undefined;
  try {
    return new RegExp(pattern, "u");
  } catch {
    // RE2 takes brackets that stand for themselves.
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

/** Makes a check of a length, which the schema gives as a bigint, and which is compared several times as fast as a number. */
function ofLength(isRight: (length: number, limit: number) => boolean): MakeCheck {
  return (limit: bigint) => {
    const limitNumber = Number(limit);
    return (value) => isRight((value as { length: number }).length, limitNumber);
  };
}

/** The rules that the protocol uses, by the type that they are for and their names. A text has at most as many characters as units of UTF-16. */
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
      const expression = understood(pattern);
      return (text) => expression?.test(text as string) === true;
    },
  },
  bytes: { len: ofLength((length, wanted) => length === wanted) },
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

/** Whether values surely are different: two objects may say the same. */
function areDifferent(list: readonly unknown[]): boolean {
  return typeof list[0] !== "object" && new Set(list).size === list.length;
}

/**
 * Makes checks of a field's rules.
 *
 * @param ofEnum The type of its values, or of its elements, where that is an enum.
 * @returns Undefined where there is a rule for which there is no check.
 */
export function compileRules(rules: FieldRules, ofEnum: DescEnum | undefined): RuleChecks | undefined {
  const { cel, celExpression, required, ignore, type } = rules;
  if (ignore === Ignore.ALWAYS) return { isRequired: false, letsZeroPass: true, ofValue: [], ofElement: [] };
  if (cel.length > 0 || celExpression.length > 0 || rules.$unknown !== undefined) return undefined;
  const ofValue: Check[] = [];
  let ofElement: readonly Check[] = [];
  const { case: typeName, value: ofType } = type;
  if (typeName !== undefined) {
    if ((ofType as Message).$unknown !== undefined) return undefined;
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

/** The rules of one type that are set, with what each asks for. */
function setRules(typeName: NonNullable<FieldRules["type"]["case"]>, rules: Message): { name: string; wanted: unknown }[] {
  const fields = FieldRulesSchema.field[typeName].message?.fields ?? [];
  return fields
    .filter((field) => isFieldSet(rules, field))
    .map(({ localName, oneof }) => {
      const values = rules as unknown as Record<string, { value?: unknown }>;
      return { name: localName, wanted: oneof === undefined ? values[localName] : values[oneof.localName]?.value };
    });
}
