import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { testAudience } from "@petak/testkit/network";
import { describe, expect, test } from "vitest";
import { useGateway } from "./running-gateway.ts";

const gateway = useGateway();

/** Calls CreateEndpoint with curl as the guide does, and returns its answer. */
async function curl(headers: string, body: string): Promise<Record<string, unknown>> {
  const url = `${gateway.url}/petak.v1.WebhookService/CreateEndpoint`;
  const args = ["-s", url, "-H", "Content-Type: application/json", "--data-binary", body];
  for (const line of headers.trim().split("\n")) args.push("-H", line);
  const stdout = await new Promise<string>((resolve) => execFile("curl", args, (_error, text) => resolve(text)));
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe("petak token --prove", () => {
  test("prints the headers with which curl makes one call, once", async () => {
    const key = await gateway.makeParticipant("Courier", "courier");
    const body = JSON.stringify({ requestId: randomUUID(), url: "https://hooks.invalid/petak" });
    await writeFile(join(gateway.folder, "endpoint.json"), body);
    for (const [method, data] of [
      ["WebhookService/CreateEndpoint", body],
      ["/petak.v1.WebhookService/CreateEndpoint", "endpoint.json"],
    ]) {
      const { exitCode, stdout } = await gateway.petak(["--key", key, "token", "--prove", method ?? "", "--data", data ?? ""]);
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/^Authorization: Bearer \S+\nDPoP: \S+\n$/);
      expect(await curl(stdout, body)).toHaveProperty("endpoint");
      expect(JSON.stringify(await curl(stdout, body))).toContain("PROOF_REPLAYED");
    }
  });

  test("says what is missing or wrong", async () => {
    const key = await gateway.makeParticipant("Courier", "courier");
    const refusalOf = async (...args: string[]) => {
      const { exitCode, stderr } = await gateway.petak(["--key", key, "token", ...args]);
      expect(exitCode).toBe(2);
      return stderr;
    };
    expect(await refusalOf("--prove", "WebhookService/CreateEndpoint")).toContain("--data");
    expect(await refusalOf("--data", "{}")).toContain("--prove");
    expect(await refusalOf("--prove", "CreateEndpoint", "--data", "{}")).toContain('no method "CreateEndpoint"');
    expect(await refusalOf("--prove", "WebhookService/CreateEndpoint", "--data", "nothing.json")).toContain("does not exist");
    expect(await refusalOf("--prove", "WebhookService/CreateEndpoint", "--data", '{"uri":1}')).toContain("no request of CreateEndpoint");
  });
});

describe("a key that is made on a device", () => {
  test("proves itself there, is registered by its operator, and works when its id is noted", async () => {
    const operator = await gateway.makeParticipant("Operator", "operator");
    const siteId = await gateway.putSite(operator);
    const { participant_id: participantId } = JSON.parse(await readFile(operator, "utf8")) as { participant_id: string };
    const device = join(gateway.folder, "device.json");
    const facts = ["--participant", participantId, "--audience", testAudience, "--mode", "test", "--site", siteId];
    const proven = await gateway.petak(["keys", "prove", "--out", device, ...facts]);
    expect(proven.exitCode).toBe(0);
    expect((await stat(device)).mode & 0o777).toBe(0o600);
    // Nothing of the private half is in what leaves the device.
    const { private_jwk: privateJwk } = JSON.parse(await readFile(device, "utf8")) as { private_jwk: { d: string } };
    expect(proven.stdout).not.toContain(privateJwk.d);
    expect((await gateway.petak(["--key", device, "keys", "list"])).stderr).toContain("'key_id'");

    const request = join(gateway.folder, "request.json");
    await writeFile(request, proven.stdout);
    const registered = await gateway.petak(["--key", operator, "keys", "register", request, "--json"]);
    // A device may ask for what its operator does not mean to give.
    const asOwn = join(gateway.folder, "own.json");
    await writeFile(asOwn, JSON.stringify({ ...(JSON.parse(proven.stdout) as object), siteId: "" }));
    expect((await gateway.petak(["--key", operator, "keys", "register", asOwn])).stderr).toContain(`a key of ${participantId} itself`);
    const { keyId, siteId: ofSite } = JSON.parse(registered.stdout) as { keyId: string; siteId: string };
    expect(ofSite).toBe(siteId);
    expect((await gateway.petak(["keys", "adopt", device, "key_test_1"])).stderr).toContain("Write the id that");
    expect((await gateway.petak(["keys", "adopt", "nothing.json", keyId])).stderr).toBe("petak: The file nothing.json does not exist.\n");
    expect((await gateway.petak(["keys", "adopt", device, keyId])).exitCode).toBe(0);
    expect((await gateway.petak(["--key", device, "keys", "list", "--json"])).stdout).toContain("AGENT_KEY_NOT_ALLOWED");
  });

  test("is not registered for another site or by another participant", async () => {
    const [operator, rival] = [await gateway.makeParticipant("Operator", "operator"), await gateway.makeParticipant("Rival", "operator")];
    const siteId = await gateway.putSite(operator);
    const { participant_id: participantId } = JSON.parse(await readFile(operator, "utf8")) as { participant_id: string };
    const facts = ["--participant", participantId, "--audience", testAudience, "--mode", "test"];
    const { stdout } = await gateway.petak(["keys", "prove", "--out", join(gateway.folder, "other.json"), ...facts]);
    const request = join(gateway.folder, "other-request.json");
    const refusalOf = async (key: string, changes: object) => {
      await writeFile(request, JSON.stringify({ ...(JSON.parse(stdout) as object), ...changes }));
      const refused = await gateway.petak(["--key", key, "keys", "register", request, "--own", "--json"]);
      return (JSON.parse(refused.stdout) as { error: { reason: string } }).error.reason;
    };
    expect(await refusalOf(operator, { siteId })).toBe("KEY_POSSESSION_UNPROVEN");
    expect(await refusalOf(rival, {})).toBe("PARTICIPANT_NOT_FOUND");
    expect(await refusalOf(rival, { participantId: "" })).toBe("KEY_POSSESSION_UNPROVEN");
  });
});
