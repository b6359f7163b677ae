import { create, type DescMessage, type DescService, type MessageShape } from "@bufbuild/protobuf";
import { createValidator, type Violation } from "@bufbuild/protovalidate";
import { type FieldViolation, PetakError } from "../errors/petak-error.ts";
import { isKnownValid } from "./known-valid.ts";
import { illFormedTimes } from "./well-formed-times.ts";

const validator = createValidator();

/**
 * Checks a message against the constraints of its schema, in clients as in gateways.
 *
 * @throws {PetakError} INVALID_FIELD with every field that breaks a rule.
 */
export function validateMessage<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): void {
  if (isKnownValid(schema, message)) return;
  // First: the constraints reckon with times that are some.
  const illFormed = illFormedTimes(schema, message);
  if (illFormed.length > 0) throw invalid(illFormed);
  const result = validator.validate(schema, message);
  if (result.kind === "valid") return;
  if (result.kind === "error") throw result.error;
  throw invalid(result.violations.map(toFieldViolation));
}

/**
 * Makes ready what {@link validateMessage} needs for the requests of some services. Without it that is made when the first of each comes, and for the very
 * first takes a tenth of a second or more, in which a server answers nobody.
 *
 * @throws {Error} where the constraints of a request cannot be evaluated
 */
export function prepareValidation(services: readonly DescService[]): void {
  for (const { input } of services.flatMap(({ methods }) => methods)) {
    isKnownValid(input, create(input));
    const result = validator.validate(input, create(input));
    if (result.kind === "error") throw result.error;
  }
}

function invalid(fieldViolations: FieldViolation[]): PetakError {
  const [first] = fieldViolations;
  const more = fieldViolations.length - 1;
  return new PetakError(
    "INVALID_FIELD",
    `${first?.field}: ${first?.description}${more > 0 ? `, and ${more} more wrong field${more > 1 ? "s" : ""}` : ""}`,
    { fieldViolations },
  );
}

function toFieldViolation(violation: Violation): FieldViolation {
  const { field, message, ruleId } = violation;
  return { field: formatPath(field), description: (ruleId === "enum.not_in" && valuesToChoose(field)) || message, rule: ruleId };
}

/** More names than that are no help in a sentence. */
const shownNames = 12;

/** What an enum that was left unspecified may be. The validator would say that it must not be in the list [0]. */
function valuesToChoose(path: Violation["field"]): string | undefined {
  const field = path.findLast((element) => element.kind === "field");
  const names = field?.enum?.values.filter(({ number }) => number !== 0).map(({ name }) => name);
  if (names === undefined) return undefined;
  return names.length > shownNames ? "must be set" : `must be set: ${names.join(", ")}`;
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
