import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { Role } from "@petak/protocol";
import { GetTestClockResponseSchema, type TestClockService } from "@petak/protocol/test-clock";
import { requireParticipant } from "../../identity/index.ts";
import { type MoveTestClockDependencies, moveTestClock } from "./move-test-clock.ts";

/** Creates the service that reads and moves the test clock. */
export function createTestClockService(dependencies: MoveTestClockDependencies): ServiceImpl<typeof TestClockService> {
  return {
    getTestClock(_request, context) {
      requireParticipant(context);
      return create(GetTestClockResponseSchema, { time: timestampFromMs(dependencies.clock.now()) });
    },
    moveTestClock(request, context) {
      requireParticipant(context, { roles: [Role.ADMIN] });
      return moveTestClock(dependencies, request);
    },
  };
}
