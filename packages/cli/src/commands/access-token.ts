import { readFile } from "node:fs/promises";
import { CliFailure } from "../failure.ts";
import type { Session } from "../session.ts";

/** A token as it was given or, with an @, as a file has it: what opens doors need not stand in a shell's history. */
export async function readToken({ resolve }: Pick<Session, "resolve">, given: string): Promise<string> {
  if (!given.startsWith("@")) return given;
  const file = given.slice(1);
  try {
    const text = (await readFile(resolve(file), "utf8")).trim();
    return text.startsWith("{") ? (JSON.parse(text) as { accessToken: string }).accessToken : text;
  } catch (error) {
    throw new CliFailure(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`, { cause: error });
  }
}
