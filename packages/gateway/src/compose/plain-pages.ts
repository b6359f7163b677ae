import { encodeBase64url, toIssuerKeySet, toJwks } from "@petak/credential";
import { catalogue } from "@petak/protocol";
import { openApiOf } from "@petak/protocol/description";
import { frontPageRoute, referenceRoutes } from "../features/api-description/gateway-pages.ts";
import { createOpenDirectory } from "../features/open-directory/open-directory.ts";
import { certificatesStanding } from "../secrets/certificates-standing.ts";
import { issuerKeyPeriods, publishedEpochs } from "../secrets/issuer-epochs.ts";
import { healthRoutes, isOpenCall, json, landingRoute, metricsRoute, type PlainRoute } from "../transport/index.ts";
import type { ConnectedStore } from "./connect-store.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import type { OpenRecords } from "./open-records.ts";
import type { OpenSecrets } from "./open-secrets.ts";
import { type ServedServices, servicesOf } from "./services.ts";

const cached = { "cache-control": "public, max-age=300" };

/** The plain HTTP pages of a gateway, by path. */
export interface PlainPages {
  /** Those of the public port. */
  readonly pages: Map<string, PlainRoute>;
  /** Those of the management listener. */
  readonly management: Map<string, PlainRoute>;
}

/** Creates the plain HTTP pages: metrics, liveness, readiness, the issuer's public keys, and the open directory. */
export function createPlainPages(
  { watch, fill }: ConnectedStore,
  { inFile, secrets }: OpenSecrets,
  { archive, stored, operatorNames, operatorLinks }: OpenRecords,
  { health }: ServedServices,
  options: GatewayOptions,
): PlainPages {
  const { logger, metrics, now = Date.now } = options;
  const healthPages = healthRoutes({
    logger,
    checks: { redis: watch.requireAnswers, secrets: () => void secrets.issuerEpochs(), ...options.readinessChecks },
    notes: () => ({
      ...archive.notes(),
      changes: watch.acceptsWrites ? "ok" : "refused",
      growth: fill.isFull || !watch.acceptsWrites ? "refused" : "ok",
      ...certificatesNote(inFile, now()),
    }),
    // All gateways share the store, and what matters most goes on, so a balancer must not take this one out.
    isDegraded: () => fill.isFull || !watch.acceptsWrites,
    isServing: health.isServing,
  });
  const pages = new Map(healthPages);
  const management = new Map(healthPages).set("/metrics", metricsRoute(metrics));
  // The keys that agents trust.
  pages.set("/.well-known/petak/jwks.json", () => ({
    ...json(toJwks(publishedEpochs(inFile.issuerEpochs(), now()).map(({ key }) => key))),
    headers: cached,
  }));
  // All keys that ever signed receipts. They are separate, because old keys must not open doors.
  pages.set("/.well-known/petak/issuer-keys.json", () => ({
    ...json(toIssuerKeySet([...inFile.pastKeys(), ...issuerKeyPeriods(inFile.issuerEpochs())])),
    headers: cached,
  }));
  // The operator's root key, which devices pin: people compare its fingerprint with the operator's.
  pages.set("/.well-known/petak/issuer-root.json", () => {
    const certificates = inFile.issuerCertificates();
    if (certificates === undefined) return json({ root: null }, 404);
    return { ...json({ root: certificates.root, root_key: encodeBase64url(certificates.rootKey) }), headers: cached };
  });
  const directory = createOpenDirectory(
    { ...stored, operatorNames, operatorLinks, now, onFailure: (error) => watch.logFailure("the open directory", error) },
    options,
  );
  const described = referenceRoutes(() => openApiOf(servicesOf(options), { version: "1.0", isOpen: isOpenCall }));
  for (const [path, route] of [...described, ...(directory?.routes ?? [])]) pages.set(path, route);
  const reasons = Object.keys(catalogue).length;
  const facts = async () => {
    // A page without numbers is better than none.
    const files = await directory?.published.current().catch(() => undefined);
    const { openDirectoryLicence: licence = "", openDirectoryPublisher: publisher = "", openDirectoryNetwork } = options;
    const isTest = directory !== undefined && openDirectoryNetwork === "test";
    return { files, directory: directory && { licence, publisher }, isTest, neighbours: options.neighbours?.() ?? [], reasons };
  };
  pages.set("/", frontPageRoute(landingRoute, facts));
  return { pages, management };
}

/** How the certificates of the issuer keys stand, if the operator has a root key. */
function certificatesNote({ issuerEpochs, issuerCertificates }: OpenSecrets["inFile"], nowMs: number): Record<string, string> {
  const { state } = certificatesStanding(issuerEpochs(), issuerCertificates(), nowMs);
  return state === "none" ? {} : { issuerCertificates: state };
}
