import { encodeBase64url } from "@petak/credential";
import { installCertificates, prepareIssuerKeys } from "@petak/gateway";
import { CliFailure } from "../failure.ts";
import type { Session } from "../session.ts";
import { orFailure, type SecretsOptions, secretsPath, showIssuer } from "./issuer-keys.ts";
import { writePublicFile } from "./public-file.ts";
import { readCertificates } from "./root-key.ts";

/** Makes the keys of epochs to come, and writes the public keys that the root should certify. */
export async function writeRequest(
  session: Session,
  options: SecretsOptions & { out: string; keys: number; fresh: boolean },
): Promise<void> {
  const { out, keys, fresh } = options;
  const publicKeys = await orFailure(prepareIssuerKeys(secretsPath(session, options), keys, { isFresh: fresh }), "Nothing was changed: ");
  await writePublicFile(session, out, `${JSON.stringify({ version: 1, issuer_keys: publicKeys.map(encodeBase64url) }, undefined, 2)}\n`);
  session.output.json({ keys: publicKeys.length, file: session.resolve(out) });
  session.output.print(`${out} has ${publicKeys.length} public keys, of this epoch and those to come.`);
  session.output.print(
    `Where the root key is kept:  ${session.output.colors.cyan(`npx petak issuer certify ${out} --root root.json --out issuer-certificates.json`)}`,
  );
}

/** Puts certificates and revocations beside the gateway's secrets. */
export async function install(session: Session, file: string, options: SecretsOptions & { newRoot: boolean }): Promise<void> {
  const given = await readCertificates(session, file);
  if (given === undefined) throw new CliFailure(`${file} does not exist; \`petak issuer certify\` writes it.`);
  const installing = installCertificates(secretsPath(session, options), given, { nowMs: session.io.now(), isNewRoot: options.newRoot });
  const { endedKeyIds } = await orFailure(installing, "Nothing was changed: ");
  const { output } = session;
  for (const keyId of endedKeyIds)
    output.print(`${keyId} has ended: gateways issue nothing by it any more, and agents refuse it with their next sync.`);
  await showIssuer(session, options, { root: given.root, ended: endedKeyIds });
  output.print("Gateways on this directory read the files within 10 s. If others have copies, copy both files to all of them now.");
}
