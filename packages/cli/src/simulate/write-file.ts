import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Intention, type TraceHeader, writeTrace } from "@petak/simulator";
import { CliFailure } from "../failure.ts";

/** Writes a trace to a file. @throws CliFailure if that is not possible */
export async function writeTraceFile(
  path: string,
  header: TraceHeader,
  intentions: Iterable<Intention> | AsyncIterable<Intention>,
): Promise<void> {
  const file = createWriteStream(path);
  try {
    await pipeline(Readable.from(writeTrace(header, intentions)), file);
  } catch (error) {
    const { code, path: ofFile } = error as NodeJS.ErrnoException;
    if (ofFile !== path) throw error;
    throw new CliFailure(`${path} cannot be written (${code}).`, { reason: "file-unwritable", cause: error });
  }
}
