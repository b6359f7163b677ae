import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type CommandVector, judgeProof, type VectorCommandSignature } from "@petak/conformance";
import { readCommandVectors } from "@petak/conformance/published";
import { commandRefusals } from "@petak/credential";
import { CommandKeySchema, CommandSchema, type CommandSignature, CommandSignatureSchema, CommandType, SiteSchema } from "@petak/protocol";
import { describe, expect, it } from "vitest";
import { decideCommand } from "./command-rules.ts";
import { noLockOut } from "./lock-out.ts";

const vectors = await readCommandVectors();
const bytes = (text: string) => new Uint8Array(Buffer.from(text, "base64url"));

function signatureOf({ key_id, issued_at_ms, expires_at_ms, signature }: VectorCommandSignature): CommandSignature {
  const times = { issuedAt: timestampFromMs(issued_at_ms), expiresAt: timestampFromMs(expires_at_ms) };
  return create(CommandSignatureSchema, { keyId: key_id, ...times, signature: bytes(signature) });
}

async function judge({ command, site_id: siteId, keys, now_ms: nowMs, doors }: CommandVector): Promise<{ fault: string | null }> {
  const { command_id, site_id, request_id, type, compartment_id, reason, signature, second_signature } = command;
  const sent = create(CommandSchema, {
    ...{ commandId: command_id, siteId: site_id, requestId: request_id, compartmentId: compartment_id, reason },
    type: CommandType[type as keyof typeof CommandType],
    signature: signatureOf(signature),
    ...(second_signature !== null && { secondSignature: signatureOf(second_signature) }),
  });
  const decision = await decideCommand(
    sent,
    {
      ...{
        siteId,
        service: create(SiteSchema),
        sizeClassIds: ["M"],
        trustBundle: undefined,
        pinKey: undefined,
        allowances: [],
        bundles: [],
      },
      ...{ revokedServiceHashes: [], outOfService: new Set<string>(), isSpent: () => false, toCollect: () => [], hasEnded: () => false },
      ...{ challengeAgeMs: () => undefined, visits: [], lockOut: noLockOut, clockTrusted: true, maxSkewMs: 300_000 },
      compartments: doors.map(({ compartment_id: compartmentId, occupied }) => ({
        ...{ compartmentId, sizeClassId: "M", condition: "OK" as const, door: "CLOSED" as const },
        ...{ reservationId: "", occupancy: occupied ? ("OCCUPIED" as const) : ("EMPTY" as const) },
      })),
      commandKeys: keys.map((key) => create(CommandKeySchema, { keyId: key.key_id, publicKey: bytes(key.public_key) })),
      ...{ doorsInLastHour: 0, canRestart: false },
    },
    nowMs,
  );
  return { fault: decision.obeys ? null : decision.refusal };
}

describe("the published vectors of commands", () => {
  it.each(vectors)("$id: $shows", async (vector) => {
    const { expected, found } = await judgeProof(vector, judge);
    expect(found).toEqual(expected);
  });

  it("contain every refusal that the signatures cause", () => {
    const known = new Set(vectors.map(({ expected }) => expected.fault));
    expect(commandRefusals.filter((refusal) => !known.has(refusal))).toEqual([]);
  });
});
