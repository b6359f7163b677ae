import { createContextValues, type HandlerContext } from "@connectrpc/connect";
import type { Role } from "@petak/protocol";
import { callerKey, type ParticipantCaller } from "../index.ts";

/** A participant with one role and a test key. The default participant operates no sites in the tests. */
export function testCaller(role: Role, participantId = "par_0000000000000002"): ParticipantCaller {
  return { kind: "participant", participantId, roles: [role], mode: "test", keyId: "key_test_0000000000000001" };
}

/** The context of a call by a caller. */
export function contextOf(caller: ParticipantCaller): HandlerContext {
  return { values: createContextValues().set(callerKey, caller), signal: new AbortController().signal } as HandlerContext;
}
