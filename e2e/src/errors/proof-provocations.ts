import { randomUUID } from "node:crypto";
import { create, toBinary, toJson } from "@bufbuild/protobuf";
import { CreateEndpointRequestSchema, ParticipantService, type Reason, WebhookService } from "@petak/protocol";
import { newRegistration } from "@petak/testkit/network";
import { expect } from "vitest";
import { nowhereUrl } from "../testing/good-requests.ts";
import { authorizationOf } from "../testing/world.ts";
import { pathOf } from "../wire/call.ts";
import { readFailure } from "../wire/failure.ts";
import { proofOf } from "../wire/prove.ts";
import type { RawAnswer } from "../wire/raw-answer.ts";
import type { Provocation, Scene } from "./provocation.ts";

const { createEndpoint } = WebhookService.method;
const { registerKey } = ParticipantService.method;

/** Creates a webhook endpoint twice with what is said to be one proof. */
async function createTwice({ world, protocol }: Scene): Promise<RawAnswer> {
  const message = create(CreateEndpointRequestSchema, { requestId: randomUUID(), url: nowhereUrl });
  const isJson = protocol === "connect-json";
  const bytes = isJson
    ? Buffer.from(JSON.stringify(toJson(CreateEndpointRequestSchema, message)))
    : toBinary(CreateEndpointRequestSchema, message);
  const authorization = await authorizationOf(world.courier);
  const { dpop = "" } = await proofOf({ authorization, path: pathOf(createEndpoint), message: bytes, isJson });
  const call = () => world.raw.call(protocol, createEndpoint, message, { authorization, proof: dpop });
  expect(readFailure(await call())).toBeUndefined();
  return await call();
}

/** Provocations of the reasons about proofs. */
export const proofProvocations = {
  PROOF_REQUIRED: {
    provoke: async ({ world, protocol }) =>
      await world.raw.call(
        protocol,
        createEndpoint,
        { requestId: randomUUID(), url: nowhereUrl },
        { authorization: await authorizationOf(world.courier), proof: null },
      ),
    metadata: () => ({ header: "DPoP" }),
  },
  PROOF_INVALID: {
    provoke: async ({ world, protocol }) =>
      await world.raw.call(
        protocol,
        createEndpoint,
        { requestId: randomUUID(), url: nowhereUrl },
        { authorization: await authorizationOf(world.courier), proof: "a.b.c" },
      ),
    metadata: () => ({ claim: "form" }),
  },
  PROOF_REPLAYED: { provoke: createTwice },
  KEY_POSSESSION_UNPROVEN: {
    provoke: async ({ world, protocol }) => {
      const { request } = await newRegistration(world.courier.participantId);
      const authorization = await authorizationOf(world.courier);
      return await world.raw.call(protocol, registerKey, { ...request, requestId: randomUUID() }, { authorization });
    },
    metadata: () => ({ claim: "request_id" }),
  },
} satisfies Partial<Record<Reason, Provocation>>;
