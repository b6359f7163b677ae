import { readFile } from "node:fs/promises";
import { CliFailure } from "../failure.ts";
import { unreadableFile } from "../file-failure.ts";
import type { Session } from "../session.ts";

/** A token as it was given or, with an @, as a file has it: what opens doors need not stand in a shell's history. */
export async function readToken({ resolve }: Pick<Session, "resolve">, given: string): Promise<string> {
  if (!given.startsWith("@")) return given;
  const file = given.slice(1);
  const content = await readFile(resolve(file), "utf8").catch((error: unknown) => {
    throw unreadableFile(file, error);
  });
  const text = content.trim();
  if (!text.startsWith("{")) return text;
  try {
    return (JSON.parse(text) as { accessToken: string }).accessToken;
  } catch (cause) {
    throw new CliFailure(`${file} is neither a token nor the output of \`petak credentials issue --json\`.`, { reason: "file", cause });
  }
}
