import { type DescMessage, getOption } from "@bufbuild/protobuf";
import { field as fieldRules } from "../gen/buf/validate/validate_pb.ts";

/**
 * The greatest number that a field of a message may have, by the constraints of its schema: of items for a list, else of the value itself.
 *
 * @throws {TypeError} if the field does not exist or has no upper bound.
 */
export function greatestOf(schema: DescMessage, localName: string): number {
  const field = schema.field[localName];
  const { type } = field === undefined ? {} : getOption(field, fieldRules);
  if (type?.case === "repeated" && type.value.maxItems > 0n) return Number(type.value.maxItems);
  if (type?.case === "uint32" && type.value.lessThan.case === "lte") return type.value.lessThan.value;
  throw new TypeError(`${schema.typeName} has no field ${localName} with an upper bound`);
}
