import { createPrivateKey, randomUUID, sign } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentStoreError, openAgentStore } from "@petak/agent";
import { createSimulatedCabinet } from "@petak/agent/simulation";
import { DataVersionError } from "@petak/gateway";
import type { TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";
import { keptData } from "./kept-data.ts";
import { callersOf, type LoadedData, loadKeptData } from "./over-kept-data.ts";

const [earliest, present] = [await keptData(1), await keptData(2)];
const { facts } = earliest;
let data: LoadedData;

beforeEach(async () => {
  data = await loadKeptData(earliest);
});

const refused = (message: string) => ({ name: DataVersionError.name, message });

describe("data of version 1", () => {
  it("is refused in Redis with one sentence, and left unchanged", async () => {
    const keys = await data.redis.dbsize();
    // Its archive would be refused before the store.
    await expect(data.start({ archive: undefined })).rejects.toMatchObject(
      refused(
        "The data in Redis has version 1 and this release reads versions 2 to 3: start an earlier release that reads version 1, or give this one an empty Redis.",
      ),
    );
    expect(await data.redis.dbsize()).toBe(keys);
    expect(await data.redis.exists(`${facts.prefix}:data-version`)).toBe(0);
  });

  it("is refused in an archive with one sentence, and the store next to it stays empty", async () => {
    await data.redis.flushall();
    const path = join(data.directory, "archive", facts.prefix, "archive.json");
    await expect(data.start()).rejects.toMatchObject(
      refused(
        `${path} has version 1 and this release reads only version 2: start an earlier release that reads version 1, or give this one another archiveDir and Redis.`,
      ),
    );
    expect(await data.redis.dbsize()).toBe(0);
  });

  it("is refused in an agent's database with one sentence", () => {
    const path = join(data.directory, "agent.db");
    expect(() => openAgentStore(path)).toThrow(
      new AgentStoreError(
        `${path} has version 3 and belongs to site '${facts.siteId}', and this release reads only site ids with a store code: start an earlier release of the agent that reads such ids, or give this one a new store`,
      ),
    );
  });
});

describe("ids and tokens of version 1", () => {
  it("are refused by a gateway with one sentence, and open no door", async () => {
    const later = await loadKeptData(present);
    const network = await later.start();
    const { courier, operator, agent } = callersOf(present.facts, network);
    await expect(operator.directory.getSite({ siteId: facts.siteId })).rejects.toMatchObject({
      rawMessage: `site "${facts.siteId}" does not exist, or the caller may not see it; a site id looks like site_83652b_k3v9c0x2md00004k`,
    });
    const { key_id: keyId, private_jwk: privateJwk } = present.facts.keys.agent;
    const terminal = await network.openTerminal(
      { participantId: present.facts.keys.operator.participant_id } as TestParticipant,
      present.facts.sites.terminal,
      {
        client: agent.agents,
        reportKey: { keyId, privateJwk },
        storePath: join(later.directory, "agent.db"),
        cabinet: createSimulatedCabinet({ compartments: [{ compartmentId: "A1", sizeClassId: "M" }], occupied: ["A1"] }),
      },
    );
    const ofVersion1 = await withSite(present.facts.credentials.collect, "836520_1", join(later.directory, "data"));
    for (const [accessToken, reason] of [
      [ofVersion1, "CLAIMS"],
      [facts.accessToken, "ISSUER_UNKNOWN"],
    ] as const) {
      await expect(courier.reservations.delegateCredential({ requestId: randomUUID(), accessToken })).rejects.toMatchObject({
        rawMessage: `the access token cannot be delegated: ${reason}`,
      });
      expect(await terminal.agent.present({ token: accessToken })).toEqual({ opened: false, refusal: "NOT_ACCEPTED" });
    }
    expect(await terminal.agent.present({ token: present.facts.credentials.collect })).toMatchObject({ opened: true });
  });
});

/** An access token for another `aud`, signed again by the issuer whose secrets are in a directory. */
async function withSite(accessToken: string, aud: string, dataDir: string): Promise<string> {
  const [header = "", payload = ""] = accessToken.split(".");
  const claims = { ...JSON.parse(Buffer.from(payload, "base64url").toString()), aud };
  const secrets = JSON.parse(await readFile(join(dataDir, "gateway-secrets.json"), "utf8"));
  const signed = `${header}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
  const key = createPrivateKey({ key: secrets.issuer_epochs[0].private_jwk, format: "jwk" });
  return `${signed}.${sign(null, Buffer.from(signed), key).toString("base64url")}`;
}
