import { InputError } from "@petak/simulator";
import { CliFailure } from "../failure.ts";

/** Does work that reads files, and says what is wrong with them as commands do. */
export async function sayingInput<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const { message, line, field } = error;
    const metadata = { ...(line === undefined ? {} : { line: String(line) }), ...(field === undefined ? {} : { field }) };
    throw new CliFailure(message, { reason: "file-unreadable", metadata, cause: error });
  }
}
