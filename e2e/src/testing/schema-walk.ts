import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";

/** One value in a message: a field, or an element of a repeated one. */
export interface Spot {
  /** Its path as errors name it, e.g. `sites[0].position.latitude`. */
  path: string;
  /** The members that lead to it in JSON. */
  jsonPath: (string | number)[];
  field: DescField;
  /** Sets it to a value of any type. */
  put(value: unknown): unknown;
}

/**
 * The values of a message and of the messages in it. Unset fields are included, but not descended into; of a repeated field each element is
 * a value. Timestamps and durations are single values, as in JSON.
 */
export function spotsOf(schema: DescMessage, message: Message): Spot[] {
  return walk(schema, message, "", []);
}

function walk(schema: DescMessage, message: Message, prefix: string, jsonPrefix: (string | number)[]): Spot[] {
  const reflected = reflect(schema, message);
  return schema.fields.flatMap((field) => {
    const path = prefix === "" ? field.name : `${prefix}.${field.name}`;
    const jsonPath = [...jsonPrefix, field.jsonName];
    const holder = (field.oneof === undefined ? message : (message as Message & Record<string, unknown>)[field.oneof.localName]) as Record<
      string,
      unknown
    >;
    const key = field.oneof === undefined ? field.localName : "value";
    if (field.oneof !== undefined && !reflected.isSet(field)) return [];
    if (field.fieldKind === "list") {
      const list = holder[key] as unknown[];
      return list.flatMap((element, index) => {
        const spot = {
          path: `${path}[${index}]`,
          jsonPath: [...jsonPath, index],
          field,
          put: (value: unknown) => list.splice(index, 1, value),
        };
        return field.listKind === "message" ? [spot, ...walk(field.message, element as Message, spot.path, spot.jsonPath)] : [spot];
      });
    }
    const spot = { path, jsonPath, field, put: (value: unknown) => Object.assign(holder, { [key]: value }) };
    const inner = holder[key];
    if (field.fieldKind !== "message" || inner === undefined || isWellKnown(field.message)) return [spot];
    return [spot, ...walk(field.message, inner as Message, path, jsonPath)];
  });
}

/** Whether a message is a timestamp, a duration or another type with its own JSON form. */
export function isWellKnown({ typeName }: DescMessage): boolean {
  return typeName.startsWith("google.protobuf.");
}
