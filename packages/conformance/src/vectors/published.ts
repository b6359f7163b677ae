import { readdir, readFile } from "node:fs/promises";
import type { CertificateVector } from "./certificate-vector.ts";
import type { CommandVector } from "./command-vector.ts";
import type { CredentialVector } from "./credential-vector.ts";
import type { HandoverCodeVector, HandoverVector } from "./handover-vector.ts";
import type { PossessionVector, ProofVector } from "./proof-vector.ts";
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

/** All published vectors for proofs of calls. */
export function readProofVectors(): Promise<ProofVector[]> {
  return readFile(new URL("proofs/01-calls.json", folder), "utf8").then(vectorsIn<ProofVector>);
}

/** All published vectors for possession proofs. */
export function readPossessionVectors(): Promise<PossessionVector[]> {
  return readFile(new URL("proofs/02-possession.json", folder), "utf8").then(vectorsIn<PossessionVector>);
}

/** All published vectors for certificates. */
export function readCertificateVectors(): Promise<CertificateVector[]> {
  return readFolder(new URL("certificates/", folder));
}

/** All published vectors for commands. */
export function readCommandVectors(): Promise<CommandVector[]> {
  return readFolder(new URL("commands/", folder));
}

/** All published vectors for hand-overs. */
export function readHandoverVectors(): Promise<HandoverVector[]> {
  return readFile(new URL("handover/01-handovers.json", folder), "utf8").then(vectorsIn<HandoverVector>);
}

/** All published vectors for the codes of sites. */
export function readHandoverCodeVectors(): Promise<HandoverCodeVector[]> {
  return readFile(new URL("handover/02-codes.json", folder), "utf8").then(vectorsIn<HandoverCodeVector>);
}

function vectorsIn<Vector>(text: string): Vector[] {
  return (JSON.parse(text) as { vectors: Vector[] }).vectors;
}

async function readFolder<Vector>(url: URL): Promise<Vector[]> {
  const names = (await readdir(url)).filter((name) => name.endsWith(".json")).sort();
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, url), "utf8")));
  return texts.flatMap((text) => vectorsIn<Vector>(text));
}
