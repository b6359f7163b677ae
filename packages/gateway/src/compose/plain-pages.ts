import { toIssuerKeySet, toJwks } from "@petak/credential";
import { issuerKeyPeriods, publishedEpochs } from "../secrets/issuer-epochs.ts";
import { json, operationalRoutes, type PlainRoute } from "../transport/index.ts";
import type { ConnectedStore } from "./connect-store.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import type { OpenArchive } from "./open-archive.ts";
import type { OpenSecrets } from "./open-secrets.ts";
import type { ServedServices } from "./services.ts";

const cached = { "cache-control": "public, max-age=300" };

/** Creates the plain HTTP pages: metrics, liveness, readiness, and the issuer's public keys. */
export function createPlainPages(
  { watch }: ConnectedStore,
  { inFile, secrets }: OpenSecrets,
  archive: OpenArchive,
  { health }: ServedServices,
  { logger, metrics, now = Date.now }: GatewayOptions,
): Map<string, PlainRoute> {
  const pages = operationalRoutes({
    metrics,
    logger,
    checks: { redis: watch.requireAnswers, secrets: () => void secrets.issuerEpochs() },
    notes: () => ({ ...archive.notes(), changes: watch.acceptsWrites ? "ok" : "refused" }),
    isServing: health.isServing,
  });
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
  return pages;
}
