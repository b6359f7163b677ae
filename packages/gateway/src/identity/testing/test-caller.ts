import { createContextValues, type HandlerContext } from "@connectrpc/connect";
import type { Role } from "@petak/protocol";
import { callerKey, type ParticipantCaller } from "../index.ts";

/** A participant in one role, with a key of the test network. Default: the one that is nobody's operator in the other tests. */
export function testCaller(role: Role, participantId = "par_0000000000000002"): ParticipantCaller {
  return { kind: "participant", participantId, roles: [role], mode: "test", keyId: "key_test_0000000000000001" };
}

/** What a call gets to know of who makes it. */
export function contextOf(caller: ParticipantCaller): HandlerContext {
  return { values: createContextValues().set(callerKey, caller), signal: new AbortController().signal } as HandlerContext;
}
