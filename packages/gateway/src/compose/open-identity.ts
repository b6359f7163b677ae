import { createParticipantEvents } from "@petak/records";
import { createOwnChanges } from "../features/audit/own-changes.ts";
import { createRevocationTeller } from "../features/keys/tell-of-revocations.ts";
import type { IssuerCertificates } from "../secrets/issuer-certificates.ts";
import type { IssuerEpochs } from "../secrets/issuer-epochs.ts";
import type { ConnectedStore } from "./connect-store.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import type { OpenRecords } from "./open-records.ts";
import { type OpenSecrets, openSecrets } from "./open-secrets.ts";
import { administratorChange, issuerKeyChanges, startChange } from "./own-changes.ts";
import { type AdminIdentity, registerAdmin } from "./register-admin.ts";

/** Opens the gateway's secrets and registers its administrator. Records for auditors what of these, and of the settings, is new. */
export async function openIdentity(
  store: ConnectedStore,
  { participants, stored }: Pick<OpenRecords, "participants" | "stored">,
  options: GatewayOptions & { audience: string },
  stack: AsyncDisposableStack,
): Promise<OpenSecrets> {
  const { statedStart, now = Date.now } = options;
  const ownChanges = createOwnChanges(stored.auditLog);
  let admin: AdminIdentity | undefined;
  const tell = (epochs: IssuerEpochs, certificates: IssuerCertificates | undefined) =>
    ownChanges.tell([
      ...(statedStart === undefined ? [] : [startChange(statedStart)]),
      ...(admin === undefined ? [] : [administratorChange(admin)]),
      ...issuerKeyChanges(epochs, certificates),
    ]);
  const participantEvents = createParticipantEvents(store.writer, store.keys, stored.events);
  const secrets = await openSecrets(store, options, createRevocationTeller({ participants, participantEvents, now }), tell, stack);
  const found = typeof options.admin === "function" ? await options.admin(options.audience) : options.admin;
  if (found !== undefined) await registerAdmin(participants, found, now());
  admin = found;
  // A full store must not prevent a start. What fails is done again as often as the secrets are read.
  await tell(secrets.inFile.issuerEpochs(), secrets.inFile.issuerCertificates()).catch((error: unknown) =>
    store.watch.logFailure("recording what the gateway has changed", error),
  );
  return secrets;
}
