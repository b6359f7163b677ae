import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { CliFailure } from "../failure.ts";
import { fileProblem } from "./file-problem.ts";

/** A text file that can be streamed several times. */
export interface TextSource {
  /** The file's name, for messages. */
  readonly name: string;
  readonly sizeBytes: number;
  /**
   * Reads the file from its start, in chunks of whole characters, with line ends as `\n` and without a byte order mark.
   *
   * @throws CliFailure, with the line if possible, if the file is empty, not text or not UTF-8.
   */
  read(observer?: ReadObserver): AsyncGenerator<string, void, undefined>;
}

/** Observers of a reading. */
export interface ReadObserver {
  /** Called with the bytes read so far. */
  onBytes?(bytes: number): void;
  /** Called at the end with the SHA-256 of the file, in hexadecimal. */
  onDigest?(digest: string): void;
}

const chunkBytes = 256 * 1024;

/** Kinds of files often given by mistake, by their first bytes. */
const foreignFormats: [signature: number[], what: string][] = [
  [[0x1f, 0x8b], "is compressed with gzip: unpack it first"],
  [[0x50, 0x4b, 0x03, 0x04], "is a ZIP archive or a spreadsheet: save the sheet as CSV (UTF-8)"],
  [[0xd0, 0xcf, 0x11, 0xe0], "is an old spreadsheet: save the sheet as CSV (UTF-8)"],
  [[0x25, 0x50, 0x44, 0x46], "is a PDF, not a list"],
  [[0x50, 0x41, 0x52, 0x31], "is a Parquet file: export it as CSV"],
];

/** Opens a file for reading. Throws a CliFailure if it is not a file, or empty. */
export async function openText(path: string): Promise<TextSource> {
  const name = basename(path);
  const facts = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new CliFailure(
      error.code === "ENOENT" ? `The file ${path} does not exist.` : `The file ${path} cannot be read (${error.code}).`,
      {
        reason: "file-unreadable",
        cause: error,
      },
    );
  });
  if (!facts.isFile()) throw fileProblem(name, "is no file");
  if (facts.size === 0) throw fileProblem(name, "is empty");
  return { name, sizeBytes: facts.size, read: (observer) => readPieces(path, name, observer) };
}

async function* readPieces(path: string, name: string, observer: ReadObserver = {}): AsyncGenerator<string, void, undefined> {
  const hash = createHash("sha256");
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let bytes = 0;
  let line = 1;
  let endsInReturn = false;
  const stream = createReadStream(path, { highWaterMark: chunkBytes });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (bytes === 0) checkStart(chunk, name);
    hash.update(chunk);
    bytes += chunk.length;
    observer.onBytes?.(bytes);
    let text: string;
    try {
      text = decoder.decode(chunk, { stream: true });
    } catch {
      throw notUtf8(name, chunk, line);
    }
    // A carriage return at the end of a chunk may be half of a line end.
    if (endsInReturn) text = `\r${text}`;
    endsInReturn = text.endsWith("\r");
    if (endsInReturn) text = text.slice(0, -1);
    const piece = unifyLineEnds(text);
    const nul = piece.indexOf("\u0000");
    if (nul >= 0) throw fileProblem(name, "holds binary data", line + countLines(piece.slice(0, nul)));
    line += countLines(piece);
    if (piece !== "") yield piece;
  }
  try {
    decoder.decode();
  } catch {
    throw fileProblem(name, "ends in the middle of a character: it is cut off, or not in UTF-8", line);
  }
  if (endsInReturn) yield "\n";
  observer.onDigest?.(hash.digest("hex"));
}

function checkStart(start: Buffer, name: string): void {
  const begins = (signature: readonly number[]) => signature.every((byte, index) => start[index] === byte);
  const utf16 = "is in UTF-16: save it as UTF-8 (in a spreadsheet program: “CSV UTF-8”)";
  if (begins([0xff, 0xfe]) || begins([0xfe, 0xff])) throw fileProblem(name, utf16);
  for (const [signature, what] of foreignFormats) if (begins(signature)) throw fileProblem(name, what);
  const head = start.subarray(0, 4096);
  const zeros = head.filter((byte) => byte === 0).length;
  if (zeros === 0) return;
  // Western text in UTF-16 has a zero in every other byte; other data with zeros is not text.
  const evenZeros = head.filter((byte, index) => byte === 0 && index % 2 === 0).length;
  const isUtf16 = zeros > head.length / 4 && (evenZeros === 0 || evenZeros === zeros);
  throw fileProblem(name, isUtf16 ? utf16 : "holds binary data, not text");
}

function notUtf8(name: string, chunk: Buffer, lineOfChunk: number): CliFailure {
  const text = unifyLineEnds(chunk.toString("utf8"));
  const before = text.slice(0, Math.max(0, text.indexOf("\ufffd")));
  return fileProblem(name, "is not in UTF-8 (perhaps in Latin-1 or Windows-1252): save it as UTF-8", lineOfChunk + countLines(before));
}

function unifyLineEnds(text: string): string {
  return text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
}

function countLines(text: string): number {
  let count = 0;
  for (let index = text.indexOf("\n"); index >= 0; index = text.indexOf("\n", index + 1)) count += 1;
  return count;
}
