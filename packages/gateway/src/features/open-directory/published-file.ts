import { createHash } from "node:crypto";
import { once } from "node:events";
import { createGzip } from "node:zlib";

/** A file of the open directory in memory. Many answers share it, and none changes it. */
export interface PublishedFile {
  /** A hash of the content, for ETags. */
  readonly hash: string;
  readonly chunks: readonly Uint8Array[];
  readonly gzip: Uint8Array;
}

/**
 * Makes a file.
 *
 * @param hashes what the hash is made of, if not of all bytes, so that those of large parts are made once
 * @param level of the compression, as in zlib
 */
export async function makePublishedFile(
  chunks: readonly Uint8Array[],
  hashes: readonly (Uint8Array | string)[] = chunks,
  level = 6,
): Promise<PublishedFile> {
  const hash = createHash("sha256");
  for (const part of hashes) hash.update(part);
  return { hash: hash.digest("base64url").slice(0, 22), chunks, gzip: await compress(chunks, level) };
}

/** Compresses on other threads, chunk by chunk. */
async function compress(chunks: readonly Uint8Array[], level: number): Promise<Uint8Array> {
  const gzip = createGzip({ level });
  const parts: Buffer[] = [];
  gzip.on("data", (part: Buffer) => parts.push(part));
  const ended = once(gzip, "end");
  for (const chunk of chunks) {
    if (!gzip.write(chunk)) await once(gzip, "drain");
  }
  gzip.end();
  await ended;
  return Buffer.concat(parts);
}
