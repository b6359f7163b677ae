import { fileProblem } from "./file-problem.ts";

/** A part of a JSON document whose top level is an object. */
export type JsonMember =
  | {
      /** An element of a streamed list. */
      readonly kind: "element";
      readonly list: string;
      /** The line on which it begins, from 1. */
      readonly line: number;
      readonly value: unknown;
    }
  | {
      /** A member of the top-level object. For a streamed list its value is undefined, and its elements follow. */
      readonly kind: "member";
      readonly name: string;
      readonly line: number;
      readonly value: unknown;
    };

/** Longest element or member, in characters, so that memory use stays bounded. */
const longestValue = 32_000_000;

/**
 * States of the reader: before the object; before the first key or the end; before another key; in a key; before its colon; before a value; in it; before the first
 * element of a list or its end; before another element; in an element; after a list; after the object.
 */
type State =
  | "start"
  | "first-key"
  | "next-key"
  | "key"
  | "colon"
  | "value-start"
  | "value"
  | "first-element"
  | "next-element"
  | "element"
  | "after-list"
  | "end";

/**
 * Reads a JSON object member by member, and given lists element by element, with bounded memory. It finds the ends of values by brackets and quotes; JSON.parse then
 * parses and validates each value.
 *
 * @param lists names of the members whose lists are streamed
 * @throws CliFailure with the line if the text is not a JSON object.
 */
export async function* readJsonMembers(
  pieces: AsyncIterable<string>,
  lists: readonly string[],
  fileName: string,
): AsyncGenerator<JsonMember, void, undefined> {
  // Widened type, since the functions below change it.
  let state = "start" as State;
  let line = 1;
  let name = "";
  // Of the value that is being read:
  let valueLine = 1;
  let depth = 0;
  let isQuoted = false;
  let isEscaped = false;
  let kept: string[] = [];
  let keptLength = 0;

  function begin(next: "key" | "value" | "element", character: string): void {
    state = next;
    valueLine = line;
    depth = character === "{" || character === "[" ? 1 : 0;
    isQuoted = character === '"';
  }

  function keep(text: string): void {
    keptLength += text.length;
    if (keptLength > longestValue) throw fileProblem(fileName, `a value of more than ${longestValue} characters begins here`, valueLine);
    kept.push(text);
  }

  function take(): unknown {
    const text = kept.join("");
    kept = [];
    keptLength = 0;
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw fileProblem(
        fileName,
        `the JSON value that begins here is broken (${(cause as Error).message.replace(/ at position .*/s, "")})`,
        valueLine,
      );
    }
  }

  /** Whether the character ends the value without being part of it. */
  function endsValue(character: string): boolean {
    if (isQuoted) {
      if (isEscaped) isEscaped = false;
      else if (character === "\\") isEscaped = true;
      else if (character === '"') isQuoted = false;
      return false;
    }
    if (depth === 0 && (character === "," || character === "}" || character === "]")) return true;
    if (character === '"') isQuoted = true;
    else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
    return false;
  }

  function expect(isExpected: boolean, found: string): void {
    if (!isExpected) throw fileProblem(fileName, `is broken JSON: ${JSON.stringify(found)} is not expected here`, line);
  }

  for await (const piece of pieces) {
    let from = 0;
    for (let index = 0; index < piece.length; index += 1) {
      const character = piece.charAt(index);
      if (character === "\n") line += 1;
      if (state === "key") {
        endsValue(character);
        if (isQuoted) continue;
        keep(piece.slice(from, index + 1));
        name = String(take());
        state = "colon";
      } else if (state === "value" || state === "element") {
        if (!endsValue(character)) continue;
        keep(piece.slice(from, index));
        const value = take();
        if (state === "value") {
          expect(character !== "]", character);
          yield { kind: "member", name, line: valueLine, value };
          state = character === "," ? "next-key" : "end";
        } else {
          expect(character !== "}", character);
          yield { kind: "element", list: name, line: valueLine, value };
          state = character === "," ? "next-element" : "after-list";
        }
      } else if (!/\s/.test(character)) {
        from = index;
        if (state === "start") {
          expect(character === "{", character);
          state = "first-key";
        } else if (state === "first-key" || state === "next-key") {
          expect(character === '"' || (character === "}" && state === "first-key"), character);
          if (character === "}") state = "end";
          else begin("key", character);
        } else if (state === "colon") {
          expect(character === ":", character);
          state = "value-start";
        } else if (state === "value-start" && character === "[" && lists.includes(name)) {
          yield { kind: "member", name, line, value: undefined };
          state = "first-element";
        } else if (state === "value-start") {
          begin("value", character);
        } else if (state === "first-element" && character === "]") {
          state = "after-list";
        } else if (state === "first-element" || state === "next-element") {
          begin("element", character);
        } else if (state === "after-list") {
          expect(character === "," || character === "}", character);
          state = character === "," ? "next-key" : "end";
        } else {
          expect(false, character);
        }
      }
    }
    if (state === "key" || state === "value" || state === "element") keep(piece.slice(from));
  }
  if (state !== "end") throw fileProblem(fileName, "ends in the middle of the JSON: it is cut off", line);
}
