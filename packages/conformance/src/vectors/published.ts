import { readdir, readFile } from "node:fs/promises";
import type { CredentialVector } from "./credential-vector.ts";
import type { ReceiptVector } from "./receipt-vector.ts";

const folder = new URL("../../../../docs/vectors/", import.meta.url);

/** All published vectors for credentials. */
export function readCredentialVectors(): Promise<CredentialVector[]> {
  return readFolder(folder);
}

/** All published vectors for receipts. */
export function readReceiptVectors(): Promise<ReceiptVector[]> {
  return readFolder(new URL("receipts/", folder));
}

async function readFolder<Vector>(url: URL): Promise<Vector[]> {
  const names = (await readdir(url)).filter((name) => name.endsWith(".json")).sort();
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, url), "utf8")));
  return texts.flatMap((text) => (JSON.parse(text) as { vectors: Vector[] }).vectors);
}
