import { randomBytes, randomUUID } from "node:crypto";
import { copyFile } from "node:fs/promises";
import { type PetakClient, reasonOf } from "@petak/client/node";
import { Act, EventType, ReservationState } from "@petak/protocol";
import { createFrozenClock, useRedis } from "@petak/testkit";
import type { TestNetwork, TestParticipant } from "@petak/testkit/network";
import { beforeEach, expect, it } from "vitest";
import { useAgentSite } from "./agent-site.ts";

const redis = useRedis();
const clock = createFrozenClock(Date.now());
const site = useAgentSite(redis, clock);
const { newDisk, toDeposit } = site;
const cabinet = [1, 2, 3, 4].map((number) => ({ compartmentId: `M-${number}`, sizeClassId: "M" }));
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
let siteId: string;
/** The client of the site's agent, which a copy of its disk has as well. */
let agents: PetakClient["agents"];
let keyId: string;

beforeEach(async () => {
  ({ network, operator, courier, siteId } = site);
  const signer = await network.agentSigner(operator, siteId);
  keyId = signer.keyId;
  agents = network.clientFor(signer, { retry: false }).agents;
});

const reason = (call: Promise<unknown>) => call.then(() => "accepted", reasonOf);
const open = (storePath: string) => network.openTerminal(operator, siteId, { cabinet, client: agents, storePath });

/** A terminal that has booted, and a copy of its disk from then. */
async function terminalAndCopy() {
  const [disk, copy] = [newDisk(), newDisk()];
  const terminal = await open(disk);
  await terminal.stop();
  await copyFile(disk, copy);
  return { disk, copy };
}

/** The refusals of calls. That reports were kept apart is told beside them. */
async function alarms() {
  const { events } = await operator.client.custody.listEvents({});
  const refused = events.filter((event) => event.type === EventType.SECOND_AGENT_REFUSED && event.siteId === siteId);
  return refused.map(({ secondAgent }) => secondAgent).filter((second) => second?.reportsKeptApart === false);
}

it("a copy of a disk is refused while the original works on, opens for no deposit, and the operator hears of it once", async () => {
  const { disk, copy } = await terminalAndCopy();
  const original = await open(disk);
  const thief = await open(copy);
  for (const _ of [1, 2]) expect(await reason(thief.agent.syncNow())).toBe("AGENT_EPOCH_STALE");
  const epoch = thief.store.epoch.held() ?? { number: 0 };
  const commands = agents.watchCommands({ siteId, epoch })[Symbol.asyncIterator]();
  expect(await reason(commands.next())).toBe("AGENT_EPOCH_STALE");
  const { token } = await toDeposit();
  await original.agent.syncNow();
  expect(await thief.agent.present({ token })).toEqual({ opened: false, refusal: "NO_DEPOSITS" });
  expect(await original.visit({ token })).toMatchObject({ opened: true, act: Act.DEPOSIT });
  expect(await alarms()).toMatchObject([{ keyId, inChargeKeyId: keyId, heldEpoch: 1, currentEpoch: 2 }]);
});

it("where the copy starts first, the original is refused: one of the two works, and the operator hears of it", async () => {
  const { disk, copy } = await terminalAndCopy();
  const thief = await open(copy);
  await thief.agent.syncNow();
  const original = await open(disk);
  expect(await reason(original.agent.syncNow())).toBe("AGENT_EPOCH_STALE");
  expect(await reason(thief.agent.syncNow())).toBe("accepted");
  expect(await alarms()).toMatchObject([{ heldEpoch: 1, currentEpoch: 2 }]);
});

it("a running agent is refused from its next call on once a copy of its disk has started", async () => {
  const { agent, store } = await open(newDisk());
  const { token } = await toDeposit();
  await agent.syncNow();
  const held = store.epoch.held();
  const bootNonce = new Uint8Array(randomBytes(16));
  // What a copy of the running agent's disk sends.
  await agents.boot({ siteId, bootNonce, processNonce: bootNonce, ...(held && { heldEpoch: held }) });
  expect(await reason(agent.syncNow())).toBe("AGENT_EPOCH_STALE");
  expect(await agent.present({ token })).toEqual({ opened: false, refusal: "NO_DEPOSITS" });
  // It asks again at each attempt, and goes on being refused.
  expect(await reason(agent.syncNow())).toBe("AGENT_EPOCH_STALE");
});

it("by the operator's word the device that was refused goes on, hands over what it saw, and the other one is refused", async () => {
  const { disk, copy } = await terminalAndCopy();
  const original = await open(disk);
  const { token } = await toDeposit();
  await original.agent.syncNow();
  const thief = await open(copy);
  // Its first call asked for nothing: it starts again, now from the disk of the original, which is copied while it works.
  const held = original.store.epoch.held();
  const bootNonce = new Uint8Array(randomBytes(16));
  const opened = await original.agent.present({ token });
  await agents.boot({ siteId, bootNonce, processNonce: bootNonce, ...(held && { heldEpoch: held }) });
  if (opened.opened) original.useDoor(opened);
  expect(await reason(original.agent.syncNow())).toBe("AGENT_EPOCH_STALE");
  const request = { requestId: randomUUID(), siteId, keyId, heldEpoch: held?.number ?? 0 };
  for (const _ of [1, 2]) await operator.client.participants.takeOverSite(request);
  await original.agent.syncNow();
  await original.agent.flushed();
  // A repetition of the request lets nobody else go on.
  await operator.client.participants.takeOverSite(request);
  await original.agent.syncNow();
  expect(await reason(agents.sync({ siteId, epoch: { number: 3, nonce: bootNonce } }))).toBe("AGENT_EPOCH_STALE");
  expect(await reason(thief.agent.syncNow())).toBe("AGENT_EPOCH_STALE");
  const { reservations } = await courier.client.reservations.listReservations({ siteId });
  expect(reservations.map(({ state }) => state)).toEqual([ReservationState.DEPOSITED]);
});

it("a device whose disk was lost goes on with its key by the operator's word, and one with an earlier release too", async () => {
  await (await open(newDisk())).stop();
  const fresh = await network.openTerminal(operator, siteId, { cabinet, client: agents, storePath: newDisk() }).catch(reasonOf);
  expect(fresh).toBe("AGENT_EPOCH_STALE");
  const letGoOn = () => operator.client.participants.takeOverSite({ requestId: randomUUID(), siteId, keyId, heldEpoch: 0 });
  await letGoOn();
  expect((await open(newDisk())).store.epoch.held()?.number).toBe(3);
  await letGoOn();
  expect(await reason(agents.boot({ siteId }))).toBe("accepted");
  expect(await reason(agents.sync({ siteId }))).toBe("accepted");
  expect(await reason(operator.client.participants.takeOverSite({ requestId: randomUUID(), siteId, keyId, heldEpoch: 9 }))).toBe(
    "AGENT_EPOCH_UNKNOWN",
  );
});

it("an agent works on though the answers to its boots are lost, and the same epoch is given to none after it", async () => {
  const disk = newDisk();
  let isLost = true;
  const client: typeof agents = {
    ...agents,
    boot: async (request, options) => {
      const answer = await agents.boot(request, options);
      if (isLost) throw new Error("the answer was lost");
      return answer;
    },
  };
  const terminal = await network.openTerminal(operator, siteId, { cabinet, client, storePath: disk });
  await terminal.cutPower();
  expect(await reason(terminal.agent.syncNow())).not.toBe("accepted");
  isLost = false;
  await terminal.agent.syncNow();
  expect(terminal.store.epoch.held()?.number).toBe(2);
  await terminal.cutPower();
  expect(terminal.store.epoch.held()?.number).toBe(3);
  expect(await alarms()).toEqual([]);
});

it("an agent of an earlier release works without an epoch until one was given to its key", async () => {
  expect(await agents.boot({ siteId })).toMatchObject({ epoch: 0 });
  expect(await reason(agents.sync({ siteId }))).toBe("accepted");
  await open(newDisk());
  expect(await reason(agents.boot({ siteId }))).toBe("AGENT_EPOCH_STALE");
  expect(await reason(agents.sync({ siteId }))).toBe("AGENT_EPOCH_STALE");
});
