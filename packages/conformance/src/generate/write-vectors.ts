import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CertificateVector } from "../vectors/certificate-vector.ts";
import type { CommandVector } from "../vectors/command-vector.ts";
import type { CredentialVector } from "../vectors/credential-vector.ts";
import type { HandoverCodeVector, HandoverVector } from "../vectors/handover-vector.ts";
import type { PossessionVector, ProofVector } from "../vectors/proof-vector.ts";
import { certificates } from "./certificates/certificates.ts";
import { commands } from "./commands/commands.ts";
import { acts } from "./credentials/acts.ts";
import { algorithmsAndTypes } from "./credentials/algorithms-and-types.ts";
import { bundles } from "./credentials/bundles.ts";
import { claimsVectors } from "./credentials/claims.ts";
import { delegates } from "./credentials/delegates.ts";
import { form } from "./credentials/form.ts";
import { issuerKeys } from "./credentials/issuer-keys.ts";
import { lockOut } from "./credentials/lock-out.ts";
import { outOfService } from "./credentials/out-of-service.ts";
import { pins } from "./credentials/pins.ts";
import { presence } from "./credentials/presence.ts";
import { replay } from "./credentials/replay.ts";
import { service } from "./credentials/service.ts";
import { signatures } from "./credentials/signatures.ts";
import { lostClock, times } from "./credentials/times.ts";
import { codes } from "./handover/codes.ts";
import { handovers } from "./handover/handovers.ts";
import { calls } from "./proofs/calls.ts";
import { possession } from "./proofs/possession.ts";
import { chainedReports } from "./receipts/chained-reports.ts";
import { type ChainVector, falseChains, falseLinks, falseSurroundings, trueChains } from "./receipts/chains.ts";
import { checks } from "./receipts/checks.ts";
import { handedOver } from "./receipts/handed-over.ts";
import { presences } from "./receipts/presences.ts";
import { statements } from "./receipts/statements.ts";

/** The vectors of one file. `name` is without `.json`. */
interface VectorFile<Vector> {
  name: string;
  title: string;
  vectors: readonly Vector[];
}

const files: readonly VectorFile<CredentialVector>[] = [
  { name: "01-acts", title: "Tokens that open, and valid ones that do not open here and now", vectors: acts },
  { name: "02-form", title: "Malformed tokens and headers", vectors: form },
  { name: "03-algorithms-and-types", title: "Tokens with another algorithm or type", vectors: algorithmsAndTypes },
  { name: "04-signatures", title: "Tokens with an invalid signature", vectors: signatures },
  { name: "05-issuer-keys", title: "Trust bundles and their keys", vectors: issuerKeys },
  { name: "06-claims", title: "Claims", vectors: claimsVectors },
  { name: "07-times", title: "Validity with a trusted clock", vectors: times },
  { name: "08-lost-clock", title: "Validity with a lost clock", vectors: lostClock },
  { name: "09-replay", title: "Single use of credentials", vectors: replay },
  { name: "10-pins", title: "PINs", vectors: pins },
  { name: "11-lock-out", title: "Lock-out of PINs", vectors: lockOut },
  { name: "12-bundles", title: "Several parcels with one credential", vectors: bundles },
  { name: "13-delegates", title: "Delegated and revoked credentials", vectors: delegates },
  { name: "14-presence", title: "Tokens bound to a key, and presence proofs", vectors: presence },
  { name: "15-service", title: "Service at the site", vectors: service },
  { name: "16-out-of-service", title: "Sites that take nothing in", vectors: outOfService },
];

const receiptFiles: readonly VectorFile<ChainVector>[] = [
  { name: "01-true-chains", title: "Valid chains", vectors: trueChains },
  { name: "02-false-links", title: "Malformed and forged links", vectors: falseLinks },
  { name: "03-false-chains", title: "Valid links that do not form a chain", vectors: falseChains },
  { name: "04-false-surroundings", title: "Events, reservations and signatures that contradict the links", vectors: falseSurroundings },
  { name: "05-statements", title: "Statements, and chains that contradict them", vectors: statements },
  { name: "06-presences", title: "Presence of the holders of bound tokens", vectors: presences },
  { name: "07-chained-reports", title: "Reports that name the ones before them", vectors: chainedReports },
  { name: "08-checks", title: "What was checked and paid when the parcel was handed over", vectors: checks },
  { name: "09-handed-over", title: "Parcels of hand-over lists", vectors: handedOver },
];

const callProofs: VectorFile<ProofVector> = { name: "01-calls", title: "Proofs of calls", vectors: calls };
const possessionProofs: VectorFile<PossessionVector> = {
  name: "02-possession",
  title: "Proofs of possession of a new key",
  vectors: possession,
};

const certificateStatements: VectorFile<CertificateVector> = {
  name: "01-certificates",
  title: "Certificates and revocations of keys",
  vectors: certificates,
};

const signedCommands: VectorFile<CommandVector> = { name: "01-commands", title: "Commands that reach a device", vectors: commands };

const handoverReceipts: VectorFile<HandoverVector> = { name: "01-handovers", title: "Signed hand-over lists", vectors: handovers };
const handoverCodes: VectorFile<HandoverCodeVector> = {
  name: "02-codes",
  title: "Codes of sites, compared with a courier's parcels",
  vectors: codes,
};

/** Writes the test vectors into a folder, one file per subject. Deterministic: keys, ids and times are fixed. */
export async function writeVectors(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const file of files) await writeVectorFile(folder, "petak-credential-vectors-1", file);
  const receiptsFolder = join(folder, "receipts");
  await mkdir(receiptsFolder, { recursive: true });
  for (const file of receiptFiles) await writeVectorFile(receiptsFolder, "petak-receipt-vectors-1", file);
  const proofsFolder = join(folder, "proofs");
  await mkdir(proofsFolder, { recursive: true });
  await writeVectorFile(proofsFolder, "petak-proof-vectors-1", callProofs);
  await writeVectorFile(proofsFolder, "petak-possession-vectors-1", possessionProofs);
  const certificatesFolder = join(folder, "certificates");
  await mkdir(certificatesFolder, { recursive: true });
  await writeVectorFile(certificatesFolder, "petak-certificate-vectors-1", certificateStatements);
  const commandsFolder = join(folder, "commands");
  await mkdir(commandsFolder, { recursive: true });
  await writeVectorFile(commandsFolder, "petak-command-vectors-1", signedCommands);
  const handoverFolder = join(folder, "handover");
  await mkdir(handoverFolder, { recursive: true });
  await writeVectorFile(handoverFolder, "petak-handover-vectors-1", handoverReceipts);
  await writeVectorFile(handoverFolder, "petak-handover-code-vectors-1", handoverCodes);
}

type AnyVector =
  | CredentialVector
  | ChainVector
  | ProofVector
  | PossessionVector
  | CertificateVector
  | CommandVector
  | HandoverVector
  | HandoverCodeVector;

async function writeVectorFile(folder: string, format: string, { name, title, vectors }: VectorFile<AnyVector>): Promise<void> {
  const subject = name.replace(/^\d+-/, "");
  const written = vectors.map((vector) => writeVector({ ...vector, id: `${subject}/${vector.id}` }));
  const text = `{\n"format":"${format}",\n"title":${JSON.stringify(title)},\n"vectors":[\n${written.join(",\n")}\n]\n}\n`;
  await writeFile(join(folder, `${name}.json`), text);
}

/** A vector with one line per member, for readable diffs. */
function writeVector(vector: AnyVector): string {
  return `{\n${Object.entries(vector)
    .map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`)
    .join(",\n")}\n}`;
}
