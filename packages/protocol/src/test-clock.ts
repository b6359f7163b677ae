/** The service that drives the clock of a gateway on the test network. Ordinary gateways do not have it. */
export {
  type GetTestClockRequest,
  type GetTestClockResponse,
  GetTestClockResponseSchema,
  type MoveTestClockRequest,
  type MoveTestClockResponse,
  MoveTestClockResponseSchema,
  TestClockService,
} from "./gen/petak/v1/test_clock_service_pb.ts";
