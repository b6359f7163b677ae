import type { JsonSchema } from "@petak/protocol/description";

/** How deep an example goes into messages. */
const depthMax = 6;

/** A value that shows what a schema requires: of a message only the required fields, and the first choice where there is one. */
export function exampleOf(schema: JsonSchema, schemas: Readonly<Record<string, JsonSchema>>, depth = 0): unknown {
  const found = typeof schema.$ref === "string" ? schemas[schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1)] : schema;
  if (found === undefined || depth > depthMax) return {};
  const { type, examples, format, minimum, items } = found;
  const names = found["x-extensible-enum"];
  if (Array.isArray(names)) return names[1] ?? names[0];
  if (Array.isArray(examples)) return examples[0];
  if (type === "integer" || type === "number") return Math.max(typeof minimum === "number" ? minimum : 0, 1);
  if (type === "boolean") return true;
  if (type === "array") return [exampleOf(items as JsonSchema, schemas, depth + 1)];
  if (type !== "object") return textLike(format);
  const properties = (found.properties ?? {}) as Record<string, JsonSchema>;
  const required = requiredOf(found);
  // A position requires neither of its numbers, and shows nothing without them.
  const shown =
    required.length > 0 || depth === 0 ? required : Object.keys(properties).filter((name) => properties[name]?.type === "number");
  return Object.fromEntries(shown.map((name) => [name, exampleOf(properties[name] ?? {}, schemas, depth + 1)]));
}

function requiredOf({ required = [], allOf = [] }: JsonSchema): string[] {
  const choices = allOf as { oneOf: { required?: string[] }[] }[];
  return [...(required as string[]), ...choices.flatMap(({ oneOf }) => oneOf[0]?.required ?? [])];
}

function textLike(format: unknown): string {
  if (format === "uuid") return "3f1c2a9e-6b7d-4c58-9a10-2f4e8d7b6c5a";
  if (format === "date-time") return "2027-01-01T09:00:00Z";
  if (format === "int64" || format === "uint64") return "1";
  return "…";
}
