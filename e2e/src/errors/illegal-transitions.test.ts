import type { DescMethod, Message } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { BatchCallSchema, DeviceEventType, ReservationState } from "@petak/protocol";
import { roundsHere, useRedis } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { byTurns } from "../testing/by-turns.ts";
import { everyMethod, nameOfMethod } from "../testing/every-method.ts";
import { shopOrigin } from "../testing/world.ts";
import { readFailure } from "../wire/failure.ts";
import { type WireProtocol, wireProtocols } from "../wire/protocols.ts";
import { type Attempt, attempts, notAttempted, type Requester, requesters, type StateName, stateNames } from "./state-attempts.ts";
import { inStatesScene, limitMs, type StatesScene, type Subject } from "./states-scene.ts";

/** The protocols over which the next call is refused: by turns, or all. */
const inTurn = byTurns(roundsHere({ short: 1, ci: 4 }));

const redis = useRedis();

/** The calls that a batch may contain, by the name of their input type. */
const batched = new Map(BatchCallSchema.fields.map((field) => [field.message?.typeName, field.localName]));

/** The part of a refusal that is compared. */
interface Refusal {
  reason: string;
  metadata: Record<string, string>;
}

/** Makes a call in a batch and returns the batch's refusal of it. */
async function attemptInBatch(
  scene: StatesScene,
  requester: Exclude<Requester, "agent" | "page">,
  which: string,
  message: Message,
): Promise<Refusal> {
  const calls = [{ call: { case: which, value: message } }] as never;
  const { results } = await scene.participants[requester].client.reservations.batch({ calls });
  const result = results[0]?.result;
  if (result?.case !== "error") throw new Error(`the batch did not refuse ${which}`);
  const { reason, metadata } = result.value;
  return { reason, metadata: Object.fromEntries(metadata.map(({ key, value }) => [key, value])) };
}

/** Makes a call over a protocol and returns its refusal; undefined if the call succeeded. */
async function attemptOver(
  { raw, authorize }: StatesScene,
  protocol: WireProtocol,
  requester: Requester,
  method: DescMethod,
  message: Message,
): Promise<(Refusal & { message: string }) | undefined> {
  const answer = await raw.call(protocol, method, message, { authorization: await authorize(requester), headers: { origin: shopOrigin } });
  const failure = readFailure(answer);
  return failure && { reason: failure.reason ?? "", metadata: failure.metadata, message: failure.message };
}

/**
 * Makes a call as somebody who is permitted to, in a state that forbids it, and expects the refusal to say why: over the protocols in turn, and
 * in a batch.
 */
async function expectRefusal(
  scene: StatesScene,
  name: string,
  subject: Subject,
  state: StateName,
  requester: Requester = "courier",
  onRecord = state,
): Promise<void> {
  const { method, message, reason, metadata } = attempts[name] as Attempt;
  const { reservationId } = subject;
  const about = { ...subject, nowMs: scene.clock.now(), holderPublicKey: scene.holderPublicKey };
  const wanted = { reason, metadata: { reservation_id: reservationId, ...metadata(state, onRecord) } };
  const protocols = inTurn(wireProtocols);
  const refusals = await Promise.all(protocols.map((protocol) => attemptOver(scene, protocol, requester, method, message(about))));
  for (const [index, refusal] of refusals.entries()) {
    const { subject: subjectOfError = reservationId, ...said } = refusal?.metadata ?? {};
    const seen = { reason: refusal?.reason, metadata: said };
    expect([name, state, requester, protocols[index], seen, subjectOfError]).toEqual([
      ...[name, state, requester, protocols[index], wanted],
      reservationId,
    ]);
    if (reason === "ILLEGAL_STATE") expect(refusal?.message).toMatch(refusalText(state, metadata(state, onRecord).wanted));
  }
  const inBatch = batched.get(method.input.typeName);
  if (inBatch === undefined || requester === "agent" || requester === "page") return;
  const { metadata: alone } = refusals[0] as Refusal;
  expect([name, state, requester, await attemptInBatch(scene, requester, inBatch, message(about))]).toEqual([
    name,
    state,
    requester,
    { reason, metadata: alone },
  ]);
}

/** What the message says: both states, and not that a state cannot become itself. */
function refusalText(state: StateName, wanted = ""): RegExp {
  return state === wanted ? new RegExp(` is ${state}(?: already|:)`) : new RegExp(` is ${state} and cannot become ${wanted}`);
}

/** The reason for which somebody without permission is refused in every state. */
function refusalOfOthers({ others }: Attempt, requester: Requester): string {
  if (requester === "agent") return "AGENT_KEY_NOT_ALLOWED";
  return requester === "page" ? "PUBLISHABLE_KEY_NOT_ALLOWED" : others[requester];
}

it("every RPC has its rows, or a reason why no state of a reservation forbids it", () => {
  const withRows = new Set(Object.values(attempts).map(({ method }) => nameOfMethod(method)));
  expect([...withRows, ...Object.keys(notAttempted)].sort()).toEqual(everyMethod.map(nameOfMethod).sort());
  // Every call of a batch has rows too, except the one that makes a reservation.
  const inputs = new Set(Object.values(attempts).map(({ method }) => method.input.typeName));
  expect([...batched.keys()].filter((name) => !inputs.has(name ?? ""))).toEqual(["petak.v1.ReserveRequest"]);
});

describe("a reservation", () => {
  it("makes no transition that its state or the caller does not permit: the refusal says why", { timeout: 240_000 }, async () => {
    await inStatesScene(redis, 100, async (scene) => {
      const { clock, hold, confirmed, reported, cancelled, queued, stateOf } = scene;
      const { PARCEL_DEPOSITED, PARCEL_COLLECTED, PARCEL_RECALLED, DOUBT } = DeviceEventType;
      const passing = async (inBundle: boolean) => ({
        EXPIRED: await hold(inBundle),
        NO_SHOW: await confirmed(inBundle),
        CANCELLED: await cancelled(inBundle),
      });
      const standing = async (inBundle: boolean) => ({
        HELD: await hold(inBundle),
        CONFIRMED: await confirmed(inBundle),
        DEPOSITED: await reported(inBundle, PARCEL_DEPOSITED),
        COLLECTED: await reported(inBundle, PARCEL_DEPOSITED, PARCEL_COLLECTED),
        RECALLED: await reported(inBundle, PARCEL_DEPOSITED, PARCEL_RECALLED),
        IN_DOUBT: await reported(inBundle, DOUBT),
      });
      const over = [{ ...(await passing(false)), REJECTED: await queued() }, await passing(true)];
      clock.advance(limitMs);
      const alone: Record<StateName, Subject> = {
        ...(over[0] as Record<StateName, Subject>),
        QUEUED: await queued(),
        ...(await standing(false)),
      };
      const bundled: Partial<Record<StateName, Subject>> = { ...over[1], ...(await standing(true)) };
      const everything = [...Object.entries(alone), ...Object.entries(bundled)] as [StateName, Subject][];
      for (const [state, subject] of everything) await expect.poll(() => stateOf(subject)).toBe(ReservationState[state]);

      for (const [name, attempt] of Object.entries(attempts)) {
        const isRead = attempt.method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
        for (const state of stateNames) {
          const subject = attempt.ofBundle ? bundled[state] : alone[state];
          if (attempt.never?.includes(state)) continue;
          if (subject === undefined) throw new Error(`no bundled reservation is ${state}, which ${name} requires`);
          const about = { ...subject, nowMs: clock.now(), holderPublicKey: scene.holderPublicKey };
          for (const [index, requester] of requesters.entries()) {
            const refusedIn = attempt.refusedIn[requester];
            if (refusedIn?.includes(state)) await expectRefusal(scene, name, subject, state, requester);
            if (refusedIn !== undefined && !isRead) continue;
            const protocol = wireProtocols[(index + stateNames.indexOf(state)) % wireProtocols.length] as WireProtocol;
            const refusal = await attemptOver(scene, protocol, requester, attempt.method, attempt.message(about));
            const wanted = refusedIn === undefined ? refusalOfOthers(attempt, requester) : undefined;
            expect([name, state, requester, protocol, refusal?.reason]).toEqual([name, state, requester, protocol, wanted]);
          }
        }
        // A refusal changes nothing.
        for (const [state, subject] of everything) expect([name, await stateOf(subject)]).toEqual([name, ReservationState[state]]);
      }
    });
  });

  it("makes no transition after its limit, even if no sweep has applied the limit yet", async () => {
    await inStatesScene(redis, 600_000, async (scene) => {
      const { clock, hold, confirmed, queued, reported } = scene;
      const [held, promised, waiting, together] = [await hold(), await confirmed(), await queued(), await confirmed(true)];
      const deposited = await reported(false, DeviceEventType.PARCEL_DEPOSITED);
      const refuse = (name: string, subject: Subject, state: StateName, onRecord: StateName) =>
        expectRefusal(scene, name, subject, state, "courier", onRecord);
      // A credential of less than a second does not exist.
      for (const beyondMs of [-300, 0, 1500]) {
        clock.advance(limitMs + beyondMs);
        if (beyondMs >= 0) {
          for (const name of ["confirm", "extend", "redirect", "bundle"]) await refuse(name, held, "EXPIRED", "HELD");
          for (const name of ["extend", "redirect", "bundle"]) await refuse(name, promised, "NO_SHOW", "CONFIRMED");
          for (const name of ["extend", "redirect"]) await refuse(name, waiting, "REJECTED", "QUEUED");
        }
        for (const name of ["deposit", "collect", "delegate"]) await refuse(name, promised, "NO_SHOW", "CONFIRMED");
        for (const name of ["collect a bundle", "delegate a bundle"]) await refuse(name, together, "NO_SHOW", "CONFIRMED");
        for (const name of ["collect", "delegate"]) await refuse(name, deposited, "DEPOSITED", "DEPOSITED");
        clock.advance(-limitMs - beyondMs);
      }
    });
  });
});
