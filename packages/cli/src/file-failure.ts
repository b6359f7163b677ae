import { CliFailure } from "./failure.ts";

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "it does not exist. Check its path",
  EISDIR: "it is a folder. Name a file",
  ENOTDIR: "a part of its path is no folder. Check the path",
  EACCES: "this user may not. Check its permissions",
  EPERM: "this user may not. Check its permissions",
};

/** Why a file cannot be read, in words: `it does not exist. Check its path`. */
export function fileProblemOf(error: unknown): string {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return reasons[code] ?? message;
}

/** The failure of a command whose file cannot be read. */
export function unreadableFile(file: string, error: unknown): CliFailure {
  return new CliFailure(`The file ${file} cannot be read: ${fileProblemOf(error)}.`, { reason: "file", cause: error });
}
