import { getExtension, hasExtension, isFieldSet, ScalarType } from "@bufbuild/protobuf";
import { BytesRulesSchema, type FieldRules, type StringRules, StringRulesSchema } from "../gen/buf/validate/validate_pb.ts";
import { printable } from "../gen/petak/v1/text_rules_pb.ts";

/** A JSON schema, 2020-12. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** The rules of one value. */
export type ValueRules = Pick<FieldRules, "type">;

/** What `petak.v1.printable` allows: no control characters, no line breaks, nothing that changes the direction of text. */
const printablePattern = String.raw`^[^\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]*$`;

/** The schema of one value in JSON, with the rules of its field. */
export function valueSchema(scalar: ScalarType, rules: ValueRules | undefined): JsonSchema {
  switch (scalar) {
    case ScalarType.STRING:
      return { type: "string", ...(rules?.type.case === "string" ? textRules(rules.type.value) : {}) };
    case ScalarType.BYTES:
      return { type: "string", contentEncoding: "base64", ...bytesRules(rules) };
    case ScalarType.BOOL:
      return { type: "boolean" };
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return { type: "number", format: scalar === ScalarType.DOUBLE ? "double" : "float", ...numberRules(rules) };
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      // JSON's numbers are not exact beyond 2^53.
      return { type: "string", format: "int64", pattern: "^-?[0-9]{1,19}$" };
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return { type: "string", format: "uint64", pattern: "^[0-9]{1,20}$" };
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return { type: "integer", minimum: 0, maximum: 0xffff_ffff, ...numberRules(rules) };
    default:
      return { type: "integer", format: "int32", ...numberRules(rules) };
  }
}

/** Whether the zero value breaks a rule. */
export function violatesAsZero({ type }: ValueRules): boolean {
  switch (type.case) {
    case "string":
      return type.value.minLen > 0n || type.value.len > 0n || type.value.wellKnown.value === true || !allowsEmpty(type.value);
    case "bytes":
      return type.value.minLen > 0n || type.value.len > 0n;
    case "repeated":
      return type.value.minItems > 0n;
    case "enum":
      return type.value.notIn.includes(0);
    case "uint32":
    case "uint64":
    case "int64":
    case "double":
      return type.value.greaterThan.case === "gte" && Number(type.value.greaterThan.value) > 0;
    default:
      return false;
  }
}

function allowsEmpty({ pattern }: StringRules): boolean {
  return pattern === "" || new RegExp(pattern, "u").test("");
}

function textRules(rules: StringRules): JsonSchema {
  const has = (name: "minLen" | "maxLen" | "len"): boolean => isFieldSet(rules, StringRulesSchema.field[name]);
  const pattern =
    rules.pattern !== "" ? rules.pattern : hasExtension(rules, printable) && getExtension(rules, printable) ? printablePattern : undefined;
  return {
    ...(has("len") ? { minLength: Number(rules.len), maxLength: Number(rules.len) } : {}),
    ...(has("minLen") ? { minLength: Number(rules.minLen) } : {}),
    ...(has("maxLen") ? { maxLength: Number(rules.maxLen) } : {}),
    ...(pattern === undefined ? {} : { pattern }),
    ...(rules.wellKnown.case === "uuid" ? { format: "uuid" } : {}),
  };
}

function bytesRules(rules: ValueRules | undefined): JsonSchema {
  if (rules?.type.case !== "bytes") return {};
  const { value } = rules.type;
  const [least, most] = isFieldSet(value, BytesRulesSchema.field.len) ? [value.len, value.len] : [value.minLen, value.maxLen];
  // With or without padding.
  return {
    ...(least > 0n ? { minLength: Math.ceil((Number(least) * 4) / 3) } : {}),
    ...(most > 0n ? { maxLength: Math.ceil(Number(most) / 3) * 4 } : {}),
  };
}

function numberRules(rules: ValueRules | undefined): JsonSchema {
  const { type } = rules ?? {};
  if (type?.case !== "uint32" && type?.case !== "double" && type?.case !== "int32") return {};
  const { greaterThan, lessThan } = type.value;
  return {
    ...(greaterThan.case === "gte" ? { minimum: greaterThan.value } : {}),
    ...(greaterThan.case === "gt" ? { exclusiveMinimum: greaterThan.value } : {}),
    ...(lessThan.case === "lte" ? { maximum: lessThan.value } : {}),
    ...(lessThan.case === "lt" ? { exclusiveMaximum: lessThan.value } : {}),
  };
}
