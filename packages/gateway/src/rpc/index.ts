export { deadlineExceeded, fromAdapterError, malformedMessage, messageTooLarge } from "./adapter-error.ts";
export { type CallStep, type SteppedCall, stepInterceptor } from "./call-step.ts";
export { type Call, callKey, type DescribeCaller, type Outcome } from "./context-keys.ts";
export { createHealth, type GatewayHealth } from "./health.ts";
export { createReflection, type Reflection } from "./reflection.ts";
export { interruption, shuttingDown, toWireError, wireError } from "./wire-error.ts";
export { type WireProtocol, wireProtocolOf } from "./wire-protocol.ts";
