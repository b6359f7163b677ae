import { randomUUID } from "node:crypto";
import { reasonOf } from "@petak/client/node";
import { credentialHash } from "@petak/credential";
import { Act, type Command, CommandOutcome, CommandState, CommandType, DeviceEventType, EventType, Mode, Role } from "@petak/protocol";
import { createFrozenClock, makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { afterAll, beforeAll, expect, it } from "vitest";
import { allowKey, ended, sendCommand, signedApproval, signedCommand, type WantedCommand } from "../testing/commanding.ts";
import { origin, parcel } from "../testing/world.ts";

const redis = useRedis();
const clock = createFrozenClock(Date.now());
const cabinet = ["M-1", "M-2", "M-3", "M-4", "M-5", "M-6"].map((compartmentId) => ({ compartmentId, sizeClassId: "M" }));
let network: TestNetwork;
let operator: TestParticipant;
let other: TestParticipant;
let courier: TestParticipant;
let siteId: string;
let terminal: Awaited<ReturnType<TestNetwork["openTerminal"]>>;

beforeAll(async () => {
  network = await startTestNetwork({ redis, now: clock.now, agentSyncIntervalMs: 3_600_000 });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  other = await network.withMode(operator, Mode.TEST);
  siteId = await network.putSite(operator, makeSite(origin));
  await allowKey(operator);
  terminal = await network.openTerminal(operator, siteId, { cabinet, watchesCommands: true });
  // Allowed by a key that the terminal trusts.
  await allowKey(operator, other.signer.keyId, "field");
});
afterAll(() => network.stop());

const reason = (call: Promise<unknown>) => call.then(() => "accepted", reasonOf);

/** Sends a command to the terminal. Each takes a minute, so that none meets the limits. */
async function send(type: CommandType, more: Partial<WantedCommand> = {}, by = operator): Promise<Command> {
  clock.advance(60_000);
  return await sendCommand(by, { siteId, type, atMs: clock.now(), ...more });
}

/** A confirmed reservation at the terminal, with a token to deposit. */
async function toDeposit() {
  const { reservations } = courier.client;
  const { reservation } = await reservations.reserve({ requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel });
  const reservationId = reservation?.reservationId ?? "";
  await reservations.confirm({ requestId: randomUUID(), reservationId });
  const { accessToken } = await reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.DEPOSIT });
  return { reservationId, accessToken };
}

/** A parcel that was put into the terminal. */
async function deposited() {
  const { reservationId, accessToken } = await toDeposit();
  const shown = await terminal.visit({ token: accessToken });
  if (!shown.opened) throw new Error(`no door opened: ${shown.refusal}`);
  return { reservationId, compartmentId: shown.compartmentId };
}

it("a command reaches a terminal by its stream, and its outcome comes as an event", async () => {
  const sent = await send(CommandType.SYNC_NOW);
  expect(sent).toMatchObject({ state: CommandState.SENT, reason: "looked at by hand" });
  expect(await ended(operator, sent.commandId)).toMatchObject({ state: CommandState.DONE, refusal: "" });
  const { events } = await operator.client.custody.listEvents({});
  expect(events.filter(({ command }) => command?.commandId === sent.commandId)).toMatchObject([
    { type: EventType.COMMAND_SENT, siteId, command: { state: CommandState.SENT, keyId: operator.signer.keyId } },
    { type: EventType.COMMAND_ENDED, siteId, command: { state: CommandState.DONE } },
  ]);
  const { commands } = await operator.client.commands.listCommands({ siteId });
  expect(commands.map(({ commandId }) => commandId)).toEqual([sent.commandId]);
});

it("a request sent again is the same command", async () => {
  clock.advance(60_000);
  const request = await signedCommand(operator, { siteId, type: CommandType.SYNC_NOW, atMs: clock.now() });
  const [one, two] = await Promise.all([1, 2].map(() => operator.client.commands.sendCommand(request)));
  expect(two?.command?.commandId).toBe(one?.command?.commandId);
  expect(await reason(operator.client.commands.sendCommand({ ...request, reason: "another" }))).toBe("REQUEST_ID_REUSED");
  await ended(operator, one?.command?.commandId ?? "");
});

it("an empty door opens by one key", async () => {
  const { commandId } = await send(CommandType.OPEN_FOR_SERVICE, { compartmentId: "M-6" });
  expect(await ended(operator, commandId)).toMatchObject({ state: CommandState.DONE });
  expect(terminal.cabinet.doorState("M-6")).toBe("OPEN");
  terminal.cabinet.closeDoor("M-6");
});

it("a door with a parcel behind it opens by two keys only, and that is recorded of the parcel's reservation", async () => {
  const { reservationId, compartmentId } = await deposited();
  const sent = await send(CommandType.OPEN_FOR_SERVICE, { compartmentId, lifetimeMs: 600_000 });
  expect(sent.state).toBe(CommandState.AWAITING_SECOND_KEY);
  expect(await reason(operator.client.commands.approveCommand(await signedApproval(operator, sent, { atMs: clock.now() })))).toBe(
    "COMMAND_NOT_APPROVABLE",
  );
  clock.advance(300_000);
  const { command } = await other.client.commands.approveCommand(await signedApproval(other, sent, { atMs: clock.now() }));
  expect(command?.state).toBe(CommandState.SENT);
  expect(await ended(operator, sent.commandId)).toMatchObject({ state: CommandState.DONE });
  expect(terminal.cabinet.doorState(compartmentId)).toBe("OPEN");
  const { events } = await courier.client.custody.getCustodyChain({ reservationId });
  expect(events.at(-1)).toMatchObject({
    type: EventType.SERVICE_DOOR_OPENED,
    reservationId,
    proof: { credentialHash: await credentialHash(sent.commandId), compartmentId },
  });
  terminal.cabinet.closeDoor(compartmentId);
});

it("a terminal that sees a parcel of which the gateway does not know refuses one key", async () => {
  await ended(operator, (await send(CommandType.OPEN_FOR_SERVICE, { compartmentId: "M-5" })).commandId);
  terminal.cabinet.putIn("M-5");
  terminal.cabinet.closeDoor("M-5");
  const { commandId, state } = await send(CommandType.OPEN_FOR_SERVICE, { compartmentId: "M-5" });
  expect(state).toBe(CommandState.SENT);
  expect(await ended(operator, commandId)).toMatchObject({ state: CommandState.REFUSED, refusal: "SECOND_KEY_NEEDED" });
  expect(terminal.cabinet.doorState("M-5")).toBe("CLOSED");
});

it("out of service is kept over a restart, lets no parcel in, and ends by a command", async () => {
  const { accessToken: shown } = await toDeposit();
  const out = await send(CommandType.TAKE_OUT_OF_SERVICE);
  await ended(operator, out.commandId);
  await terminal.restart();
  expect(await reason(toDeposit())).toBe("SITE_INTAKE_PAUSED");
  expect(await terminal.agent.present({ token: shown })).toEqual({ opened: false, refusal: "NO_DEPOSITS" });
  const back = await send(CommandType.PUT_INTO_SERVICE);
  await ended(operator, back.commandId);
  expect(await terminal.visit({ token: shown })).toMatchObject({ opened: true });
});

it("logs come back without what opens doors, and a terminal that cannot restart says so", async () => {
  const { commandId } = await send(CommandType.COLLECT_LOGS);
  const logs = await ended(operator, commandId);
  expect(logs?.state).toBe(CommandState.DONE);
  expect(logs?.logLines.some((line) => line.includes("the agent has booted"))).toBe(true);
  const restart = await send(CommandType.RESTART);
  expect(await ended(operator, restart.commandId)).toMatchObject({ state: CommandState.REFUSED, refusal: "UNSUPPORTED" });
});

it("a key without the right, an expired or changed order, and too many doors are refused before anything is sent", async () => {
  clock.advance(3_600_000);
  const third = await network.withMode(operator, Mode.TEST);
  const door = { siteId, type: CommandType.OPEN_FOR_SERVICE, compartmentId: "M-6", atMs: clock.now() };
  const sending = async (by: TestParticipant, wanted: WantedCommand, change = {}) =>
    await reason(by.client.commands.sendCommand({ ...(await signedCommand(by, wanted)), ...change }));
  expect(await sending(third, door)).toBe("COMMAND_KEY_REQUIRED");
  expect(await sending(operator, { ...door, atMs: clock.now() - 60_000 })).toBe("COMMAND_SIGNATURE_INVALID");
  expect(await sending(operator, { ...door, lifetimeMs: 60_001 })).toBe("COMMAND_SIGNATURE_INVALID");
  expect(await sending(operator, door, { compartmentId: "M-1" })).toBe("COMMAND_SIGNATURE_INVALID");
  expect(await sending(operator, { ...door, siteId: "site_83652b_k3v9c0x2md0000zz" })).toBe("SITE_NOT_FOUND");
  const opened: string[] = [];
  for (let door = 0; door < 6; door++) {
    const { commandId } = await sendCommand(operator, {
      siteId,
      type: CommandType.OPEN_FOR_SERVICE,
      compartmentId: "none",
      atMs: clock.now(),
    });
    opened.push(commandId);
  }
  expect(await sending(operator, door)).toBe("COMMANDS_EXHAUSTED");
  expect(await ended(operator, opened.at(-1) ?? "")).toMatchObject({ refusal: "COMPARTMENT" });
});

it("a command that no device reports on is TIMED_OUT, and its operator hears of it", async () => {
  const site = await network.putSite(operator, makeSite({ ...origin, ref: "offline" }));
  const sent = await send(CommandType.SYNC_NOW, { siteId: site });
  clock.advance(89_000);
  expect((await operator.client.commands.getCommand({ commandId: sent.commandId })).command?.state).toBe(CommandState.SENT);
  clock.advance(2_000);
  expect(await ended(operator, sent.commandId)).toMatchObject({ state: CommandState.TIMED_OUT });
  const { events } = await operator.client.custody.listEvents({});
  expect(events.filter(({ command }) => command?.commandId === sent.commandId).map(({ command }) => command?.state)).toEqual([
    CommandState.SENT,
    CommandState.TIMED_OUT,
  ]);
});

it("a report that comes after TIMED_OUT replaces it, once, and the operator hears of it", async () => {
  const site = await network.putSite(operator, makeSite({ ...origin, ref: "late" }));
  const device = await network.reporterAt(operator, site);
  const { commandId } = await send(CommandType.TAKE_OUT_OF_SERVICE, { siteId: site });
  clock.advance(91_000);
  expect(await ended(operator, commandId)).toMatchObject({ state: CommandState.TIMED_OUT });
  const done = { type: DeviceEventType.COMMAND_ENDED, commandId, commandOutcome: CommandOutcome.DONE };
  await device.report(done);
  // Another report of the same command, which a device never makes, changes nothing.
  await device.report({ ...done, commandOutcome: CommandOutcome.FAILED, refusal: "LOCK_FAILED" });
  expect((await operator.client.commands.getCommand({ commandId })).command).toMatchObject({ state: CommandState.DONE, refusal: "" });
  const { events } = await operator.client.custody.listEvents({ pageSize: 1000 });
  expect(events.filter(({ command }) => command?.commandId === commandId).map(({ command }) => command?.state)).toEqual([
    CommandState.SENT,
    CommandState.TIMED_OUT,
    CommandState.DONE,
  ]);
});

it("a command that the power cuts off is done once, and its outcome is unknown", async () => {
  const { open } = terminal.cabinet;
  const opened: string[] = [];
  const back = Promise.withResolvers<boolean>();
  terminal.cabinet.open = async (compartmentId) => {
    opened.push(compartmentId);
    await open(compartmentId);
    back.resolve(terminal.cutPower());
  };
  const { commandId } = await send(CommandType.OPEN_FOR_SERVICE, { compartmentId: "M-6" });
  await back.promise;
  terminal.cabinet.open = open;
  expect(await ended(operator, commandId)).toMatchObject({ state: CommandState.OUTCOME_UNKNOWN });
  expect(terminal.cabinet.doorState("M-6")).toBe("OPEN");
  terminal.cabinet.closeDoor("M-6");
  await terminal.agent.flushed();
  expect(opened).toEqual(["M-6"]);
});

it("a change at the site is heard of at once, and not by a poll", async () => {
  const { reservationId } = await toDeposit();
  const isKnown = () => terminal.store.allowances.all().some((allowance) => allowance.reservationId === reservationId);
  await expect.poll(isKnown).toBe(true);
});

it("a command reaches a stream whichever gateway holds it", async () => {
  const { redis: address, keyPrefix, dataDir } = network.shared;
  const second = await startTestNetwork({ redis: { address }, keyPrefix, dataDir, now: clock.now });
  const elsewhere = second.clientFor(operator.signer);
  try {
    clock.advance(60_000);
    const request = await signedCommand(operator, { siteId, type: CommandType.SYNC_NOW, atMs: clock.now() });
    const { command } = await elsewhere.commands.sendCommand(request);
    expect(await ended(operator, command?.commandId ?? "")).toMatchObject({ state: CommandState.DONE });
  } finally {
    await second.stop();
  }
});
