import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeKeyFile } from "@petak/client/node";
import { EventType, ReservationState, Role } from "@petak/protocol";
import { makeSite, roundsHere, tempDir, useRedis } from "@petak/testkit";
import { keyFileOf, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";
import { byTurns } from "../testing/by-turns.ts";
import { startBreakingProxy } from "./breaking-proxy.ts";
import { courierExamples } from "./courier-examples.ts";
import { type ExampleSurroundings, runCourier, runCourierAndTerminal, runTerminal } from "./example-process.ts";

const examples = await courierExamples();
/** Those whose refusals are read: by turns, or all. */
const refused = byTurns(roundsHere({ short: 1, ci: 2 }))(examples);
const redis = useRedis();
/** The position at which the examples search by default. */
const position = { latitude: 1.3521, longitude: 103.8198 };
let network: TestNetwork;
let courier: TestParticipant;
let siteId: string;
let operatorId: string;
let surroundings: ExampleSurroundings;

beforeEach(async () => {
  network = await startTestNetwork({ redis });
  const operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  siteId = await network.putSite(operator, makeSite(position));
  operatorId = operator.participantId;
  const keys = await tempDir();
  const operatorKeys = join(keys, "operators");
  await mkdir(operatorKeys);
  await writeKeyFile(join(operatorKeys, "operator.json"), keyFileOf(operator));
  await writeKeyFile(join(keys, "courier.json"), keyFileOf(courier));
  surroundings = { gateway: network.baseUrl, courierKey: join(keys, "courier.json"), operatorKeys };
  return () => network.stop();
});

describe.each(examples)("the courier's example in $language", (example) => {
  beforeEach(({ skip }) => skip(example.obstacle !== undefined, example.obstacle));

  it("brings a parcel to a terminal and sees it collected", async () => {
    const { courierExitCode, terminal } = await runCourierAndTerminal(example, surroundings);
    expect(terminal.stderr).toBe("");
    expect([courierExitCode, terminal.exitCode]).toEqual([0, 0]);
    const names = terminal.steps.map(({ step, type, act }) => type ?? (act === undefined ? step : `${step}: ${act}`));
    expect(names).toEqual([
      "options found",
      "reserving",
      "place held",
      "confirmed",
      "credential issued: DEPOSIT",
      "credential issued: COLLECT",
      "EVENT_TYPE_RESERVATION_HELD",
      "EVENT_TYPE_RESERVATION_CONFIRMED",
      "EVENT_TYPE_CREDENTIAL_ISSUED",
      "EVENT_TYPE_CREDENTIAL_ISSUED",
      "EVENT_TYPE_DOOR_OPENED",
      "EVENT_TYPE_DOOR_CLOSED",
      "EVENT_TYPE_PARCEL_DEPOSITED",
      "EVENT_TYPE_DOOR_OPENED",
      "EVENT_TYPE_DOOR_CLOSED",
      "EVENT_TYPE_PARCEL_COLLECTED",
      "collected",
    ]);
    const reservationId = String(terminal.steps.at(-1)?.reservationId);
    const { reservation } = await courier.client.reservations.getReservation({ reservationId });
    expect(reservation?.state).toBe(ReservationState.COLLECTED);
  });

  it("holds one place if the connection breaks before Reserve's response arrives", async () => {
    const proxy = await startBreakingProxy(network.baseUrl, "/petak.v1.ReservationService/Reserve");
    const throughProxy = { ...surroundings, gateway: proxy.url };
    const { steps, stderr } = await runCourier(example, throughProxy, { until: ({ step }) => step === "confirmed" });
    await proxy.stop();
    expect(stderr).toBe("");
    expect(proxy.lost()).toBe(1);
    const { events } = await courier.client.custody.listEvents({});
    const held = events.filter(({ type }) => type === EventType.RESERVATION_HELD).map(({ reservationId }) => reservationId);
    expect(held).toEqual([steps.at(-1)?.reservationId]);
  });
});

describe.each(refused)("the refused courier in $language", (example) => {
  beforeEach(({ skip }) => skip(example.obstacle !== undefined, example.obstacle));

  it("prints the reason and the field of a refusal, and does not retry", async () => {
    const { exitCode, steps, stderr } = await runCourier(example, surroundings, { args: ["--origin", "91,103.8"] });
    expect([exitCode, steps]).toEqual([1, []]);
    expect(stderr).toMatch(/^INVALID_FIELD \(INVALID_ARGUMENT\): .*\nWrong fields: origin\.latitude\n$/);
  });

  it("does not wait in a queue for a place", async () => {
    const { exitCode, stderr } = await runCourier(example, surroundings, { args: ["--origin", "0,-30"] });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^NO_PLACE_FREE \(FAILED_PRECONDITION\): .*\n$/);
  });
});

describe("the terminal", () => {
  it("ends when a credential is refused, although its input goes on", async () => {
    const steps = [
      { step: "place held", siteId, operatorId },
      { step: "credential issued", act: "DEPOSIT", accessToken: "none" },
    ];
    const { exitCode, stderr } = await runTerminal(surroundings, steps);
    expect([exitCode, stderr]).toEqual([1, "terminal: the terminal refused the credential (NOT_ACCEPTED)\n"]);
  });
});
