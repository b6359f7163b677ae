import { createClient, createContextValues, createRouterTransport, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import { AgentService, DirectoryService, PetakError, type Reason, Role } from "@petak/protocol";
import { describe, expect, it } from "vitest";
import { callKey } from "../transport/call/call.ts";
import { stepInterceptor } from "../transport/stock-adapter/interceptors.ts";
import type { Authenticator } from "./authenticator.ts";
import type { Caller } from "./caller.ts";
import { callerKey, requireAgent, requireParticipant, requireReader } from "./caller-key.ts";
import { createIdentityStep } from "./identity-step.ts";

const participant: Caller = { kind: "participant", participantId: "par_a", roles: [Role.COURIER], mode: "test", keyId: "key_test_a" };
const agent: Caller = { kind: "agent", participantId: "par_b", siteId: "site_83652b_k3v9c0x2md000001", mode: "test", keyId: "key_test_b" };
const page: Caller = { kind: "publishable", participantId: "par_a", mode: "test", key: "pk_test_a" };

function contextOf(caller: Caller | undefined) {
  return { values: createContextValues().set(callerKey, caller) };
}

function reasonFrom(call: () => unknown): Reason | "allowed" {
  try {
    call();
    return "allowed";
  } catch (error) {
    expect(error).toBeInstanceOf(PetakError);
    return (error as PetakError).reason;
  }
}

describe("requireParticipant", () => {
  it("gives the participant if it has one of the roles", () => {
    expect(requireParticipant(contextOf(participant))).toBe(participant);
    expect(requireParticipant(contextOf(participant), { roles: [Role.MERCHANT, Role.COURIER] })).toBe(participant);
  });

  it("refuses pages, agents and participants without the role", () => {
    expect(reasonFrom(() => requireParticipant(contextOf(page)))).toBe("PUBLISHABLE_KEY_NOT_ALLOWED");
    expect(reasonFrom(() => requireParticipant(contextOf(agent)))).toBe("AGENT_KEY_NOT_ALLOWED");
    expect(reasonFrom(() => requireParticipant(contextOf(participant), { roles: [Role.ADMIN] }))).toBe("ROLE_REQUIRED");
    expect(() => requireParticipant(contextOf(participant), { roles: [Role.ADMIN, Role.OPERATOR] })).toThrow("ADMIN or OPERATOR");
  });
});

describe("requireAgent", () => {
  it("gives the site's own agent", () => {
    expect(requireAgent(contextOf(agent), "site_83652b_k3v9c0x2md000001")).toBe(agent);
  });

  it("refuses everyone else", () => {
    expect(reasonFrom(() => requireAgent(contextOf(agent), "site_83652b_k3v9c0x2md000002"))).toBe("AGENT_SITE_MISMATCH");
    expect(reasonFrom(() => requireAgent(contextOf(participant), "site_83652b_k3v9c0x2md000001"))).toBe("AGENT_KEY_REQUIRED");
    expect(reasonFrom(() => requireAgent(contextOf(page), "site_83652b_k3v9c0x2md000001"))).toBe("AGENT_KEY_REQUIRED");
  });
});

describe("requireReader", () => {
  it("gives participants and pages, and refuses agents", () => {
    expect(requireReader(contextOf(participant))).toBe(participant);
    expect(requireReader(contextOf(page))).toBe(page);
    expect(reasonFrom(() => requireReader(contextOf(agent)))).toBe("AGENT_KEY_NOT_ALLOWED");
  });

  it("refuses a call without a caller in its context", () => {
    expect(reasonFrom(() => requireReader(contextOf(undefined)))).toBe("INTERNAL");
  });
});

/** Calls a service with the call context that the server sets. */
const asCall: Interceptor = (next) => (request) => {
  const [authorization, origin] = ["authorization", "origin"].map((name) => request.header.get(name) ?? undefined);
  const call = {
    requestId: "",
    method: "",
    protocol: "connect",
    timeoutMs: undefined,
    interruption: undefined,
    source: "192.0.2.7",
    ticket: undefined,
    proof: undefined,
    traceparent: undefined,
    outcome: undefined,
    span: undefined,
  } as const;
  request.contextValues.set(callKey, { ...call, authorization, origin });
  return next(request);
};

describe("the identity step", () => {
  const seen: (Caller | undefined)[] = [];
  const note = (context: HandlerContext) => {
    seen.push(context.values.get(callerKey));
    return {};
  };
  const authenticator: Authenticator = {
    recall: () => undefined,
    authenticate: ({ authorization, origin }) =>
      authorization === "Bearer good" && origin === "https://shop.example"
        ? Promise.resolve(page)
        : Promise.reject(new PetakError("CREDENTIALS_MISSING", "none")),
    recheck: () => Promise.resolve(),
  };
  const transport = createRouterTransport(
    ({ service }) => {
      service(DirectoryService, { getSite: (_, context) => note(context) });
      service(AgentService, { sync: (_, context) => note(context) });
    },
    {
      router: {
        interceptors: [
          asCall,
          stepInterceptor(createIdentityStep({ authenticator, isOpen: ({ typeName }) => typeName === AgentService.typeName })),
        ],
      },
    },
  );

  it("puts the caller in the call's context", async () => {
    seen.length = 0;
    const headers = { authorization: "Bearer good", origin: "https://shop.example" };
    await createClient(DirectoryService, transport).getSite({ siteId: "s" }, { headers });
    expect(seen).toEqual([page]);
  });

  it("refuses calls without credentials, except to public services", async () => {
    seen.length = 0;
    await expect(createClient(DirectoryService, transport).getSite({ siteId: "s" })).rejects.toThrow();
    expect(seen).toEqual([]);
    await createClient(AgentService, transport).sync({ siteId: "s" });
    expect(seen).toEqual([undefined]);
  });
});
