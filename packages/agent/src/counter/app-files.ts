import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";

/** A file of the app, in memory. */
export interface AppFile {
  readonly type: string;
  readonly body: Buffer;
  readonly etag: string;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
};

/** The page without an app. */
const noApp =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>Petak</title><p>The counter is served here. Its app is not part of this installation.</p></html>';

/** Reads the app from a folder, by its paths. Files of other types are left out. @param folder undefined: there is none */
export function readAppFiles(folder: string | undefined): ReadonlyMap<string, AppFile> {
  const files = new Map<string, AppFile>();
  for (const path of folder === undefined ? [] : (readdirSync(folder, { recursive: true }) as string[])) {
    const type = types[extname(path)];
    if (folder !== undefined && type !== undefined) files.set(`/${path}`, fileOf(type, readFileSync(join(folder, path))));
  }
  const index = files.get("/index.html") ?? fileOf("text/html; charset=utf-8", Buffer.from(noApp));
  return files.set("/", index);
}

function fileOf(type: string, body: Buffer): AppFile {
  return { type, body, etag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"` };
}
