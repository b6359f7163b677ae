import { describe, expect, test } from "vitest";
import { useGateway } from "./running-gateway.ts";

const gateway = useGateway();

interface ShownLimits {
  limits: { kind: string; limit: string; used?: string; left?: string; siteId?: string }[];
}

describe("petak limits", () => {
  test("shows a participant its limits, what is used and what is left", async () => {
    const courier = await gateway.makeParticipant("Courier", "courier");
    const { stdout, exitCode } = await gateway.petak(["--key", courier, "limits"]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^LIMIT +WHERE +MOST +USED +LEFT$/m);
    expect(stdout).toMatch(/^holds in all +5000 +0 +5000$/m);
    expect(stdout).toMatch(/^request items +ReservationService\/Batch +100$/m);
    const json = JSON.parse((await gateway.petak(["--key", courier, "limits", "--json"])).stdout) as ShownLimits;
    expect(json.limits).toContainEqual({ kind: "LIMIT_KIND_HOLDS_IN_ALL", limit: "5000", used: "0", left: "5000" });
  });

  test("sets those of a participant, for the administrator only", async () => {
    const courier = await gateway.makeParticipant("Courier", "courier");
    const whoami = await gateway.petak(["--key", courier, "keys", "list", "--json"]);
    const { keys } = JSON.parse(whoami.stdout) as { keys: { participantId: string }[] };
    const participantId = keys[0]?.participantId ?? "";
    const set = ["limits", "set", participantId, "--all-max", "7000"];
    expect((await gateway.petak(["--key", courier, ...set, "--json"])).stdout).toContain("ROLE_REQUIRED");
    const { stdout, exitCode } = await gateway.petak(["--key", gateway.adminKeyPath, ...set]);
    expect([exitCode, stdout]).toEqual([0, `Set the limits of ${participantId}; they are in force within 10 s.\n`]);
    expect((await gateway.petak(["--key", courier, "limits"])).stdout).toMatch(/^holds in all +7000 +0 +7000$/m);
    const wrong = await gateway.petak(["--key", gateway.adminKeyPath, "limits", "set", participantId, "--all-max", "-1"]);
    expect(wrong.exitCode).toBe(2);
  });
});
