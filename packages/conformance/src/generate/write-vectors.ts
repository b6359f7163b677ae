import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CredentialVector } from "../vectors/credential-vector.ts";
import { acts } from "./credentials/acts.ts";
import { algorithmsAndTypes } from "./credentials/algorithms-and-types.ts";
import { bundles } from "./credentials/bundles.ts";
import { claimsVectors } from "./credentials/claims.ts";
import { delegates } from "./credentials/delegates.ts";
import { form } from "./credentials/form.ts";
import { issuerKeys } from "./credentials/issuer-keys.ts";
import { lockOut } from "./credentials/lock-out.ts";
import { pins } from "./credentials/pins.ts";
import { presence } from "./credentials/presence.ts";
import { replay } from "./credentials/replay.ts";
import { service } from "./credentials/service.ts";
import { signatures } from "./credentials/signatures.ts";
import { lostClock, times } from "./credentials/times.ts";
import { type ChainVector, falseChains, falseLinks, falseSurroundings, trueChains } from "./receipts/chains.ts";
import { statements } from "./receipts/statements.ts";

/** The vectors of one file. `name` is without `.json`. */
interface VectorFile<Vector> {
  name: string;
  title: string;
  vectors: readonly Vector[];
}

const files: readonly VectorFile<CredentialVector>[] = [
  { name: "01-acts", title: "Tokens that open, and genuine ones that do not here now", vectors: acts },
  { name: "02-form", title: "What is no compact JWS in its one spelling, or has another header", vectors: form },
  { name: "03-algorithms-and-types", title: "Tokens that ask for another algorithm, or are of another type", vectors: algorithmsAndTypes },
  { name: "04-signatures", title: "Tokens whose signature is not good", vectors: signatures },
  { name: "05-issuer-keys", title: "Trust bundles and their keys", vectors: issuerKeys },
  { name: "06-claims", title: "Claims", vectors: claimsVectors },
  { name: "07-times", title: "When a token is good, by a clock that can be trusted", vectors: times },
  { name: "08-lost-clock", title: "When a token is good while the clock is lost", vectors: lostClock },
  { name: "09-replay", title: "Each credential once", vectors: replay },
  { name: "10-pins", title: "PINs", vectors: pins },
  { name: "11-lock-out", title: "Wrong PINs of all the site together", vectors: lockOut },
  { name: "12-bundles", title: "Several parcels with one credential", vectors: bundles },
  { name: "13-delegates", title: "Credentials of somebody whom the recipient lets collect, and revoked ones", vectors: delegates },
  { name: "14-presence", title: "Tokens that are bound to a key, and proofs of presence", vectors: presence },
  { name: "15-service", title: "Doors that open for work at the site", vectors: service },
];

const receiptFiles: readonly VectorFile<ChainVector>[] = [
  { name: "01-true-chains", title: "Chains that are whole and true", vectors: trueChains },
  { name: "02-false-links", title: "Links that are no receipts, or not the issuer's", vectors: falseLinks },
  { name: "03-false-chains", title: "Links that are true, and no chain", vectors: falseChains },
  { name: "04-false-surroundings", title: "Events, reservations and sides that are not as the links say", vectors: falseSurroundings },
  { name: "05-statements", title: "How a chain is stated to stand, and chains that do not", vectors: statements },
];

/** Writes the test vectors into a folder, one file for each subject. The same every time: keys, ids and times are fixed. */
export async function writeVectors(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const file of files) await writeVectorFile(folder, "petak-credential-vectors-1", file);
  const receiptsFolder = join(folder, "receipts");
  await mkdir(receiptsFolder, { recursive: true });
  for (const file of receiptFiles) await writeVectorFile(receiptsFolder, "petak-receipt-vectors-1", file);
}

async function writeVectorFile(
  folder: string,
  format: string,
  { name, title, vectors }: VectorFile<CredentialVector | ChainVector>,
): Promise<void> {
  const subject = name.replace(/^\d+-/, "");
  const written = vectors.map((vector) => writeVector({ ...vector, id: `${subject}/${vector.id}` }));
  const text = `{\n"format":"${format}",\n"title":${JSON.stringify(title)},\n"vectors":[\n${written.join(",\n")}\n]\n}\n`;
  await writeFile(join(folder, `${name}.json`), text);
}

/** A vector with a line for each member, so that a change shows as what it is. */
function writeVector(vector: CredentialVector | ChainVector): string {
  return `{\n${Object.entries(vector)
    .map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`)
    .join(",\n")}\n}`;
}
