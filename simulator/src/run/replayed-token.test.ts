import { createHash, randomUUID } from "node:crypto";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import type { AgentOptions } from "@petak/agent";
import { Act, Role } from "@petak/protocol";
import { makeSite, tempDir, useRedis } from "@petak/testkit";
import { startTestNetwork } from "@petak/testkit/network";
import { expect, test } from "vitest";
import type { DoorActed, Observation } from "../observe/observation.ts";
import { judge } from "../oracle/testing/stream.ts";

const redis = useRedis();

const noNetwork = () => Promise.reject(new ConnectError("no network", Code.Unavailable));
const offline: AgentOptions["client"] = { boot: noNetwork, sync: noNetwork, reportEvents: noNetwork };

test("a terminal whose disk was restored to an earlier copy opens for a spent token, and is found out", async () => {
  const directory = await tempDir();
  const network = await startTestNetwork({ redis });
  const operator = await network.join("Operator", [Role.OPERATOR]);
  const courier = await network.join("Courier", [Role.COURIER]);
  const siteId = await network.putSite(operator, makeSite({ latitude: 1.3, longitude: 103.8 }));
  const cabinet = [{ compartmentId: "M-1", sizeClassId: "M" }];
  const terminal = await network.openTerminal(operator, siteId, { cabinet, storePath: join(directory, "agent.db") });
  const { reservations } = courier.client;

  const parcel = { widthMm: 100, heightMm: 100, depthMm: 100, massG: 500 };
  const { reservation } = await reservations.reserve({ requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel });
  const { reservationId = "", sizeClassId = "" } = reservation ?? {};
  await reservations.confirm({ requestId: randomUUID(), reservationId });
  const issue = async (act: Act) => (await reservations.issueCredential({ requestId: randomUUID(), reservationId, act })).accessToken;
  const given: Observation = { kind: "given", intention: 1, atMs: Date.now(), reservationId, siteId, sizeClassId };

  async function show(act: "DEPOSIT" | "COLLECT", token: string, isOffline = false): Promise<DoorActed> {
    const presentation = await terminal.agent.present({ token });
    if (presentation.opened) terminal.useDoor(presentation);
    const credentialHash = createHash("sha256").update(token).digest("base64url");
    const fact = { intention: 1, atMs: Date.now(), siteId, reservationId, act, by: "TOKEN", credentialHash, offline: isOffline } as const;
    if (!presentation.opened) return { kind: "door", ...fact, opened: false, refusal: presentation.refusal };
    const { compartmentId } = presentation;
    return { kind: "door", ...fact, opened: true, compartmentId, isInside: terminal.cabinet.contents().includes(compartmentId) };
  }

  const token = await issue(Act.DEPOSIT);
  await terminal.stop();
  await copyFile(terminal.storePath, join(directory, "copy.db"));
  await terminal.restart();
  const honest = [given, await show("DEPOSIT", token), await show("COLLECT", await issue(Act.COLLECT)), await show("DEPOSIT", token)];
  expect(honest.at(-1)).toMatchObject({ opened: false, refusal: "NOT_ACCEPTED" });
  expect(judge(honest)).toEqual([]);

  await terminal.stop();
  await copyFile(join(directory, "copy.db"), terminal.storePath);
  await terminal.restart({ client: offline });
  const again = await show("DEPOSIT", token, true);
  expect(again.opened).toBe(true);
  const [violation, ...more] = judge([...honest, again]);
  expect(more).toEqual([]);
  expect(violation).toMatchObject({ rule: "spent-token-opened", intentions: [1], evidence: expect.arrayContaining([honest[1], again]) });
  await network.stop();
});
