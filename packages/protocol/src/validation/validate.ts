import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { createValidator, type Violation } from "@bufbuild/protovalidate";
import { type FieldViolation, PetakError } from "../errors/petak-error.ts";

const validator = createValidator();

/**
 * Checks a message against the constraints of its schema, in clients as in gateways.
 *
 * @throws {PetakError} INVALID_FIELD with every field that breaks a rule.
 */
export function validateMessage<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): void {
  const result = validator.validate(schema, message);
  if (result.kind === "valid") return;
  if (result.kind === "error") throw result.error;
  const fieldViolations = result.violations.map(toFieldViolation);
  const [first] = fieldViolations;
  const more = fieldViolations.length - 1;
  throw new PetakError(
    "INVALID_FIELD",
    `${first?.field}: ${first?.description}${more > 0 ? `, and ${more} more wrong field${more > 1 ? "s" : ""}` : ""}`,
    { fieldViolations },
  );
}

function toFieldViolation(violation: Violation): FieldViolation {
  return { field: formatPath(violation.field), description: violation.message, rule: violation.ruleId };
}

function formatPath(path: Violation["field"]): string {
  let text = "";
  for (const element of path) {
    if (element.kind === "field" || element.kind === "oneof") text += `${text === "" ? "" : "."}${element.name}`;
    else if (element.kind === "extension") text += `[${element.typeName}]`;
    else if (element.kind === "list_sub") text += `[${element.index}]`;
    else text += `[${JSON.stringify(typeof element.key === "bigint" ? String(element.key) : element.key)}]`;
  }
  return text;
}
