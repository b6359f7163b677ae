import { access, constants, stat } from "node:fs/promises";
import { dirname, extname } from "node:path";
import { CliFailure, usageFailure } from "../failure.ts";
import type { RunOptions } from "./run-options.ts";

/** The files that a run writes, absolute. */
export interface OutputFiles {
  readonly report: string;
  readonly figures: string;
  readonly log: string;
  readonly record: string | undefined;
}

/**
 * The files that a run writes. They replace those of an earlier run.
 *
 * @param inputs the files that the run reads, absolute
 * @throws CliFailure if one of them cannot be written, or would replace another or an input.
 */
export async function outputFiles(options: RunOptions, resolve: (path: string) => string, inputs: readonly string[]): Promise<OutputFiles> {
  const report = resolve(options.report);
  const stem = extname(report) === ".html" ? report.slice(0, -".html".length) : report;
  if (report === stem) throw usageFailure(`--report "${options.report}" must end in .html: the figures are beside it as .json.`);
  const files = {
    report,
    figures: `${stem}.json`,
    log: options.log === undefined ? `${stem}.ndjson` : resolve(options.log),
    record: options.record === undefined ? undefined : resolve(options.record),
  };
  const taken = new Set(inputs);
  for (const path of Object.values(files)) {
    if (path === undefined) continue;
    if (taken.has(path)) throw usageFailure(`${path} would be written over what the run reads or writes elsewhere. Give it another name.`);
    taken.add(path);
    await checkWritable(path);
  }
  return files;
}

async function checkWritable(path: string): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory()) throw usageFailure(`${path} is a folder, and a file is to be written there. Give it another name.`);
  const target = there === undefined ? dirname(path) : path;
  await access(target, constants.W_OK).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === "ENOENT" ? `the folder ${target} does not exist` : String(error.code);
    throw new CliFailure(`${path} cannot be written: ${why}.`, { reason: "file-unwritable", cause: error });
  });
}
