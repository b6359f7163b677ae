import { create, type DescField, type DescMessage, type DescService, getExtension, getOption, ScalarType } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { field as fieldRules, type StringRules } from "../gen/buf/validate/validate_pb.ts";
import { printable } from "../gen/petak/v1/text_rules_pb.ts";
import * as protocol from "../index.ts";
import { escapeUnprintable, isPrintable } from "./printable-text.ts";
import { validateMessage } from "./validate.ts";

const { CreateParticipantRequestSchema, Role } = protocol;

/** Code points that no text may have: controls, separators, and all that Unicode calls Bidi_Control. */
const forbidden = Array.from({ length: 0x3000 }, (_, codePoint) => String.fromCodePoint(codePoint)).filter((character) =>
  /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(character),
);

function refusalOf(displayName: string): unknown {
  const requestId = "5f0c2f9e-6b1d-4c53-9a3e-2d8f1b7a4e60";
  try {
    validateMessage(
      CreateParticipantRequestSchema,
      create(CreateParticipantRequestSchema, { requestId, displayName, roles: [Role.COURIER] }),
    );
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("text of a request", () => {
  it("has no control character, no separator of lines and nothing that changes the direction of text", () => {
    expect(forbidden).toHaveLength(79);
    for (const character of [...forbidden, "\ud800", "\udfff", "a\udc00", "\ud83da"]) {
      const description = "must not contain control characters, line breaks or characters that change the direction of text";
      expect([isPrintable(`a${character}b`), escape(character)]).toEqual([false, escape(character)]);
      expect([refusalOf(`a${character}b`), escape(character)]).toMatchObject([
        { reason: "INVALID_FIELD", fieldViolations: [{ field: "display_name", description, rule: "string.printable" }] },
        escape(character),
      ]);
    }
  });

  it("may have every other character, of any script", () => {
    for (const text of ["O'Neill & Söhne", "ပါဆယ်", "คลังสินค้า", "郵便局", "مكتب البريد", "क्‍ष", "a\u200cb", "📦", "\u00a0", "\ufeff"]) {
      expect([text, refusalOf(text)]).toEqual([text, undefined]);
    }
  });

  it("is free in no field: each has this rule, is a UUID, or has a pattern that lists its characters", () => {
    const free = requestStrings().filter((field) => !isClosed(field));
    expect(free.map(String)).toEqual([]);
    expect(requestStrings().length).toBeGreaterThan(100);
  });
});

describe("text that is printed", () => {
  it("has what the rule forbids escaped, and nothing else changed", () => {
    expect(escapeUnprintable("a\u001b[31mb\u202ec\ud800d\ne 📦")).toBe("a\\u001b[31mb\\u202ec\\ud800d\\u000ae 📦");
    fc.assert(
      fc.property(
        fc.string({ unit: fc.oneof(fc.constantFrom(...forbidden, "\ud800", "\udc00"), fc.string({ minLength: 1, maxLength: 1 })) }),
        (text) => {
          const escaped = escapeUnprintable(text);
          expect(isPrintable(escaped)).toBe(true);
          if (isPrintable(text)) expect(escaped).toBe(text);
        },
      ),
    );
  });
});

/** All string fields of requests and of the messages in them. */
function requestStrings(): DescField[] {
  const services = (Object.values(protocol) as unknown[]).filter(
    (value): value is DescService => typeof value === "object" && value !== null && "kind" in value && value.kind === "service",
  );
  const seen = new Set<DescMessage>();
  const found: DescField[] = [];
  const visit = (schema: DescMessage): void => {
    if (seen.has(schema) || !schema.typeName.startsWith("petak.")) return;
    seen.add(schema);
    for (const field of schema.fields) {
      if (field.message !== undefined) visit(field.message);
      else if (field.fieldKind === "map" || field.scalar === ScalarType.STRING) found.push(field);
    }
  };
  for (const { methods } of services) for (const { input } of methods) visit(input);
  return found;
}

function isClosed(field: DescField): boolean {
  const { type } = getOption(field, fieldRules);
  const ofOne = field.fieldKind === "list" && type.case === "repeated" ? type.value.items?.type : type;
  if (ofOne?.case !== "string") return false;
  const rules: StringRules = ofOne.value;
  return rules.wellKnown.case === "uuid" || getExtension(rules, printable) || listsItsCharacters(rules.pattern);
}

/** Whether a pattern names all characters that it accepts: it has both anchors, no negated class, and no dot outside a class. */
function listsItsCharacters(pattern: string): boolean {
  const outside = pattern.replaceAll(/\\./g, "").replaceAll(/\[[^\]]*\]/g, (characters) => (characters.startsWith("[^") ? "." : ""));
  return /^\^.*\$$/.test(pattern) && !outside.includes(".");
}
