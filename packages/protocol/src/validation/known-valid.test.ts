import type { DescMessage, DescService, Message } from "@bufbuild/protobuf";
import { roundsHere } from "@petak/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as protocol from "../index.ts";
import { isKnownValid } from "./known-valid.ts";
import { nearlyValid, satisfyingRules } from "./testing/near-rules.ts";
import { validator } from "./validate.ts";
import { illFormedTimes } from "./well-formed-times.ts";

const rounds = roundsHere({ short: 20, ci: 300 });

const isService = (value: unknown): value is DescService =>
  typeof value === "object" && value !== null && "kind" in value && value.kind === "service";

/** The checked types: all requests, and separately the messages within them that have CEL expressions. */
const schemas: DescMessage[] = (Object.values(protocol) as unknown[])
  .filter(isService)
  .flatMap(({ methods }) => methods.map(({ input }) => input).filter(({ fields }) => fields.length > 0))
  .concat([protocol.SiteCapacitySchema, protocol.OpeningHoursSchema, protocol.SiteRequirementsSchema]);

/** The only type with unsupported rules: its expressions calculate with times. */
const expressed = "petak.v1.OpenWindow";

function isValid(schema: DescMessage, message: Message): boolean {
  const { kind } = validator.validate(schema, message);
  if (kind === "error") throw new Error(`the constraints of ${schema} cannot be evaluated`);
  return kind === "valid" && illFormedTimes(schema, message).length === 0;
}

/** Whether a message contains a string with characters outside the Basic Multilingual Plane, or a message with unsupported rules. */
function hasUnknown(message: unknown): boolean {
  if (typeof message === "string") return /[\ud800-\udfff]/.test(message);
  if (typeof message !== "object" || message === null) return false;
  if ((message as Partial<Message>).$typeName === expressed) return true;
  return Object.values(message).some(hasUnknown);
}

function text(message: Message): string {
  return JSON.stringify(message, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
}

describe("the fast check of constraints", () => {
  it.each(schemas.map((schema) => [schema.name, schema] as const))("agrees with protovalidate on %s", (_name, schema) => {
    let known = 0;
    const property = fc.property(fc.oneof(satisfyingRules(schema), { weight: 3, arbitrary: nearlyValid(schema) }), (message) => {
      const isValidToo = isValid(schema, message);
      if (isKnownValid(schema, message)) {
        known++;
        expect(isValidToo, text(message)).toBe(true);
      } else if (isValidToo) expect(hasUnknown(message), text(message)).toBe(true);
    });
    fc.assert(property, { numRuns: rounds });
    // For some types only one message in forty is known to be valid.
    for (let more = 0; known <= 3 && more < 100; more++) fc.assert(property, { numRuns: 30 });
    expect(known).toBeGreaterThan(3);
  });
});
