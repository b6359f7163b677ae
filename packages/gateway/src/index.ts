/** The server that speaks the protocol for one or more operators. */

export { DataVersionError } from "@petak/records";
export { DurabilityError, type DurabilityOptions } from "./compose/durability.ts";
export type { Gateway, GatewayOptions } from "./compose/gateway-options.ts";
export type { ArchiveOptions } from "./compose/open-archive.ts";
export { secretsFileName } from "./compose/open-secrets.ts";
export { AdminError, type AdminIdentity } from "./compose/register-admin.ts";
export { startGateway } from "./compose/start-gateway.ts";
export {
  type Config,
  ConfigError,
  flagOf,
  loadConfig,
  managementAddress,
  rangeOf,
  type Setting,
  settings,
  statedSettings,
} from "./config/index.ts";
export type { Neighbour } from "./features/api-description/front-page.ts";
export type { Sandbox, SandboxPlace, SandboxVisit, ShownAtSandbox } from "./features/sandbox/sandbox.ts";
export { parseNetworks } from "./features/webhook/delivery/networks.ts";
export type { WebhookOptions } from "./features/webhook/delivery/webhook-sending.ts";
export {
  AddedMetrics,
  createLogger,
  createMetrics,
  type Logger,
  type LogLevel,
  type Metrics,
  type MetricsSnapshot,
} from "./observability/index.ts";
export { type CertificatesStanding, certificatesStanding } from "./secrets/certificates-standing.ts";
export { loadGatewaySecrets } from "./secrets/gateway-secrets.ts";
export { type InstalledCertificates, installCertificates, prepareIssuerKeys, spareKeysMax } from "./secrets/install-certificates.ts";
export {
  CertificatesFileError,
  certificateOf,
  certificatesFileName,
  certificatesPath,
  certificatesText,
  type IssuerCertificates,
  isRevoked,
  readIssuerCertificates,
} from "./secrets/issuer-certificates.ts";
export { epochInForce, type IssuerEpoch, type IssuerEpochs } from "./secrets/issuer-epochs.ts";
export { certifiedDaysMax, certifyIssuerKeys, RootRefusedError, revokeIssuerKey } from "./secrets/root-statements.ts";
export { readIssuerEpochs, readIssuerKeyPeriods, rotateIssuer, SecretsFileError } from "./secrets/rotate-issuer.ts";
export { earliestAnnouncementMs, RotationRefusedError } from "./secrets/rotation.ts";
export { prepareServingProcess } from "./serving-process.ts";
export { StoreStartError } from "./store-watch/store-watch.ts";
export {
  createManagementServer,
  json,
  type PlainAnswer,
  type PlainRoute,
  type ServerAddress,
  ServerStartError,
} from "./transport/index.ts";
