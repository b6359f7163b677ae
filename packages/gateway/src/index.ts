/** The server that speaks the protocol for one or more operators. */
export { AdminError, type AdminIdentity } from "./admin.ts";
export { type Config, ConfigError, flagOf, loadConfig, rangeOf, type Setting, settings } from "./config/index.ts";
export { DurabilityError, type DurabilityOptions } from "./durability.ts";
export { type Gateway, type GatewayOptions, secretsFileName, startGateway } from "./gateway.ts";
export { createLogger, createMetrics, type Logger, type LogLevel, type Metrics } from "./observability/index.ts";
export type { ArchiveOptions } from "./open-archive.ts";
export { epochInForce, type IssuerEpoch, type IssuerEpochs } from "./secrets/issuer-epochs.ts";
export { readIssuerEpochs, readIssuerKeyPeriods, rotateIssuer, SecretsFileError } from "./secrets/rotate-issuer.ts";
export { earliestAnnouncementMs, RotationRefusedError } from "./secrets/rotation.ts";
export { type ServerAddress, ServerStartError } from "./server/index.ts";
export { prepareServingProcess } from "./serving-process.ts";
export { StoreStartError } from "./store-watch/store-start-error.ts";
export { parseNetworks } from "./webhooks/networks.ts";
export type { WebhookOptions } from "./webhooks/webhook-sending.ts";
