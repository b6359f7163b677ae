export { callKey } from "./call/call.ts";
export type { CallStep } from "./call/call-step.ts";
export type { CallerAccounts } from "./call/caller-accounts.ts";
export { createStoreFailureStep } from "./errors/store-failure-step.ts";
export { ByteOutput, varintBytes } from "./http/byte-output.ts";
export { type Accounts, createAccounts } from "./limits/accounts.ts";
export { type CallLimits, defaultCallLimits } from "./limits/call-limits.ts";
export { isOpenCall } from "./limits/open-calls.ts";
export { defaultServerLimits, type ServerLimits } from "./limits/server-limits.ts";
export type { SharedUse } from "./limits/shared-use.ts";
export type { TlsIdentity } from "./listener/front-server.ts";
export { createManagementServer, type ManagementServer } from "./listener/management-server.ts";
export { createOnePortServer, type OnePortServer, type ServerAddress } from "./listener/one-port-server.ts";
export { createRequestListener, type RequestListenerOptions } from "./listener/request-listener.ts";
export { type ServerStartCode, ServerStartError } from "./listener/server-start-error.ts";
export {
  healthRoutes,
  json,
  landingRoute,
  metricsRoute,
  type PlainAnswer,
  type PlainRequest,
  type PlainRoute,
} from "./plain-http/operational-routes.ts";
export { createHealth, type GatewayHealth } from "./standard-services/health.ts";
export { createReflection } from "./standard-services/reflection.ts";
export type { AnswerEncoder } from "./unary-fast-path/unary-fast-path.ts";
