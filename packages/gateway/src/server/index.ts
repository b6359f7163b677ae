export type { AnswerEncoder } from "./answer-encoder.ts";
export { ByteOutput, varintBytes } from "./byte-output.ts";
export { type CallLimits, defaultCallLimits } from "./call-limits.ts";
export type { NodeServerRequest, NodeServerResponse } from "./node-http.ts";
export { createOnePortServer, type OnePortServer, type OnePortServerOptions, type ServerAddress } from "./one-port-server.ts";
export {
  json,
  type OperationalRoutesOptions,
  operationalRoutes,
  type PlainAnswer,
  type PlainRequest,
  type PlainRoute,
  type ReadinessCheck,
} from "./plain-routes.ts";
export { createRequestListener, type RequestListener, type RequestListenerOptions } from "./request-listener.ts";
export { defaultServerLimits, type ServerLimits } from "./server-limits.ts";
export { type ServerStartCode, ServerStartError } from "./server-start-error.ts";
