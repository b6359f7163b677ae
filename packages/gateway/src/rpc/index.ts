export { deadlineExceeded, fromAdapterError, malformedMessage, messageTooLarge } from "./adapter-error.ts";
export { type ConcurrencyInterceptorOptions, createConcurrencyInterceptor } from "./concurrency-interceptor.ts";
export {
  type Call,
  callKey,
  type DescribeCaller,
  loggerKey,
  type Outcome,
  requestIdKey,
  shutdownSignalKey,
} from "./context-keys.ts";
export { createDeadlineInterceptor, type DeadlineInterceptorOptions } from "./deadline-interceptor.ts";
export { createErrorsInterceptor, type ErrorsInterceptorOptions } from "./errors-interceptor.ts";
export { createHealth, type GatewayHealth } from "./health.ts";
export { type RpcInterceptorsOptions, rpcInterceptors } from "./interceptors.ts";
export { createReflection, type Reflection } from "./reflection.ts";
export { mapErrors, tap, untilAborted } from "./streams.ts";
export { createValidationInterceptor } from "./validation-interceptor.ts";
export { interruption, shuttingDown, toWireError, wireError } from "./wire-error.ts";
export { type WireProtocol, wireProtocolOf } from "./wire-protocol.ts";
