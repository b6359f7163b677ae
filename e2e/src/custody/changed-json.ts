import { type DescMessage, fromJson, type JsonValue, type MessageShape } from "@bufbuild/protobuf";
import type { Random } from "@petak/testkit";

/** The keys and indexes that lead to one value of a JSON document. */
export type Path = (string | number)[];

/** The paths of all values of a JSON document that are neither lists nor objects. */
export function leavesOf(value: JsonValue, path: Path = []): Path[] {
  if (Array.isArray(value)) return value.flatMap((element, index) => leavesOf(element, [...path, index]));
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([name, member]) => leavesOf(member, [...path, name]));
  }
  return [path];
}

/** The document with another value at a path. */
export function withChanged(random: Random, json: JsonValue, path: Path): JsonValue {
  const copy = structuredClone(json);
  let holder = copy as Record<string | number, JsonValue>;
  for (const step of path.slice(0, -1)) holder = holder[step] as Record<string | number, JsonValue>;
  const name = path.at(-1) as string;
  const value = holder[name];
  if (typeof value === "boolean") holder[name] = !value;
  else if (typeof value === "number") holder[name] = value + 1;
  else if (typeof value === "string") holder[name] = turned(random, value, random.int(0, value.length - 1));
  return copy;
}

/** The text with one bit of one character flipped such that it stays valid text. */
export function turned(random: Random, text: string, at: number): string {
  const code = text.charCodeAt(at) ^ (1 << random.int(0, 6));
  return text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
}

/** The message of a JSON document, or undefined if the document is no such message. */
export function parsed<Desc extends DescMessage>(schema: Desc, json: JsonValue): MessageShape<Desc> | undefined {
  try {
    return fromJson(schema, json, { ignoreUnknownFields: true });
  } catch {
    return undefined;
  }
}
