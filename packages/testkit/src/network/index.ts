/** Networks for tests: a gateway, participants with keys, terminals. */
export { testAudience } from "./gateway-defaults.ts";
export type { GatewayProcessOptions, Measurement } from "./gateway-process/gateway-messages.ts";
export { type GatewayProcess, startGatewayProcess } from "./gateway-process/start-gateway-process.ts";
export { type LogLine, type ProcessNetwork, startTestNetwork, type TestNetwork, type TestNetworkOptions } from "./test-network.ts";
export {
  keyFileOf,
  newRegistration,
  type SiteReporter,
  signerOf,
  type TestKey,
  type TestParticipant,
  type TestParticipants,
} from "./test-participants.ts";
