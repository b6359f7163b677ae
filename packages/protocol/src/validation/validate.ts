import { create, createRegistry, type DescMessage, type DescService, type MessageShape } from "@bufbuild/protobuf";
import { createValidator, type Violation } from "@bufbuild/protovalidate";
import { type FieldViolation, PetakError } from "../errors/petak-error.ts";
import { file_petak_v1_text_rules } from "../gen/petak/v1/text_rules_pb.ts";
import { isKnownValid } from "./known-valid.ts";
import { illFormedTimes } from "./well-formed-times.ts";

/** Protovalidate with the rules of `text_rules.proto`. */
export const validator = createValidator({ registry: createRegistry(file_petak_v1_text_rules) });

/**
 * Validates a message against the constraints of its schema. Clients and gateways use the same check.
 *
 * @throws {PetakError} INVALID_FIELD with all invalid fields.
 */
export function validateMessage<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): void {
  if (isKnownValid(schema, message)) return;
  // Times are checked first: the constraints assume well-formed ones.
  const illFormed = illFormedTimes(schema, message);
  if (illFormed.length > 0) throw invalid(illFormed);
  const result = validator.validate(schema, message);
  if (result.kind === "valid") return;
  if (result.kind === "error") throw result.error;
  throw invalid(result.violations.map(toFieldViolation));
}

/**
 * Compiles the constraints of all requests of some services. Otherwise they are compiled when {@link validateMessage} first gets each type. The first
 * compilation takes 0.1 s or more and blocks the server.
 *
 * @throws {Error} if the constraints of a request cannot be evaluated.
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
    `${first?.field}: ${first?.description}${more > 0 ? `, and ${more} more invalid field${more > 1 ? "s" : ""}` : ""}`,
    { fieldViolations },
  );
}

function toFieldViolation(violation: Violation): FieldViolation {
  const { field, message, ruleId } = violation;
  return { field: formatPath(field), description: (ruleId === "enum.not_in" && valuesToChoose(field)) || message, rule: ruleId };
}

/** Longer lists of names are left out of the message. */
const shownNames = 12;

/** The description for an unspecified enum: its possible values. The validator would only say that the value must not be in the list [0]. */
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
