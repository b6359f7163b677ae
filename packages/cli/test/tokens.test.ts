import { createRequestSigner, readKeyFile } from "@petak/client/node";
import { expect, test } from "vitest";
import { useGateway } from "./running-gateway.ts";

const gateway = useGateway();

/** The status of a search with a request token. */
async function search(token: string): Promise<number> {
  const parcel = { widthMm: 300, heightMm: 200, depthMm: 150, massG: 1200 };
  const { status } = await fetch(`${gateway.url}/petak.v1.DirectoryService/FindNearest`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ origin: { latitude: 1.3, longitude: 103.8 }, parcel }),
  });
  return status;
}

test("petak token --many prints tokens for the time to come, of which the gateway takes those whose time it is", async () => {
  const key = await gateway.makeParticipant("Courier", "courier");
  const { exitCode, stdout } = await gateway.petak(["--key", key, "token", "--many", "60"]);
  expect(exitCode).toBe(0);
  const { tokens } = JSON.parse(stdout) as { tokens: { token: string; validFrom: string; validUntil: string }[] };
  expect(tokens).toHaveLength(15);
  for (const [index, { validFrom, validUntil }] of tokens.entries()) {
    const next = tokens[index + 1];
    // The next one begins a minute before it ends, to the second.
    if (next !== undefined) expect(Date.parse(validUntil) - Date.parse(next.validFrom)).toBeGreaterThan(58_000);
    expect(Date.parse(validUntil) - Date.parse(validFrom)).toBeLessThanOrEqual(300_000);
  }
  expect(await search(tokens[0]?.token ?? "")).toBe(200);
  expect(await search(tokens[14]?.token ?? "")).toBe(401);
  // As the signer of a program makes it.
  const { participant_id: participantId, key_id: keyId, audience, private_jwk: privateJwk } = await readKeyFile(key);
  const signer = createRequestSigner({ participantId, keyId, audience, privateJwk, now: () => Date.parse(tokens[14]?.validFrom ?? "") });
  expect(`Bearer ${tokens[14]?.token}`).toBe(await signer.authorization());
});

test("petak token --help says how long a token is valid", async () => {
  expect((await gateway.petak(["token", "--help"])).stdout).toContain("A token is valid for 5 minutes from now");
});

test.each([["0"], ["1441"], ["an hour"]])("petak token --many %s is refused", async (minutes) => {
  const key = await gateway.makeParticipant("Courier", "courier");
  const { exitCode, stderr } = await gateway.petak(["--key", key, "token", "--many", minutes]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain("from 1 to 1440");
});
