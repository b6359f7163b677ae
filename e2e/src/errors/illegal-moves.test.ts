import type { DescMethod, Message } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { BatchCallSchema, DeviceEventType, ReservationState } from "@petak/protocol";
import { useRedis } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { everyMethod, nameOfMethod } from "../testing/every-method.ts";
import { shopOrigin } from "../testing/world.ts";
import { readFailure } from "../wire/failure.ts";
import { type WireProtocol, wireProtocols } from "../wire/protocols.ts";
import { type Ask, type Asker, askedOfNone, askers, asks, type StateName, stateNames } from "./state-asks.ts";
import { inStatesScene, limitMs, type StatesScene, type Subject } from "./states-scene.ts";

const redis = useRedis();

/** The calls that a batch is made of, by their input. */
const batched = new Map(BatchCallSchema.fields.map((field) => [field.message?.typeName, field.localName]));

/** What a refusal says, in short. */
interface Refusal {
  reason: string;
  metadata: Record<string, string>;
}

/** Asks for something, in a batch, and gives what the batch says of it. */
async function askInBatch(scene: StatesScene, asker: Exclude<Asker, "agent" | "page">, which: string, message: Message): Promise<Refusal> {
  const calls = [{ call: { case: which, value: message } }] as never;
  const { results } = await scene.participants[asker].client.reservations.batch({ calls });
  const result = results[0]?.result;
  if (result?.case !== "error") throw new Error(`the batch did not refuse ${which}`);
  const { reason, metadata } = result.value;
  return { reason, metadata: Object.fromEntries(metadata.map(({ key, value }) => [key, value])) };
}

/** Asks for something over a protocol, and gives why it was refused; nothing where it was not. */
async function askOver(
  { raw, authorize }: StatesScene,
  protocol: WireProtocol,
  asker: Asker,
  method: DescMethod,
  message: Message,
): Promise<(Refusal & { message: string }) | undefined> {
  const answer = await raw.call(protocol, method, message, { authorization: await authorize(asker), headers: { origin: shopOrigin } });
  const failure = readFailure(answer);
  return failure && { reason: failure.reason ?? "", metadata: failure.metadata, message: failure.message };
}

/** Asks as whoever may, in a state that forbids it, and expects to be told why: over every protocol, and in a batch. */
async function expectRefusal(
  scene: StatesScene,
  name: string,
  subject: Subject,
  state: StateName,
  asker: Asker = "courier",
  onRecord = state,
): Promise<void> {
  const { method, message, reason, metadata } = asks[name] as Ask;
  const { reservationId } = subject;
  const about = { ...subject, nowMs: scene.clock.now(), holderPublicKey: scene.holderPublicKey };
  const wanted = { reason, metadata: { reservation_id: reservationId, ...metadata(state, onRecord) } };
  const refusals = await Promise.all(wireProtocols.map((protocol) => askOver(scene, protocol, asker, method, message(about))));
  for (const [index, refusal] of refusals.entries()) {
    const { subject: subjectOfError = reservationId, ...said } = refusal?.metadata ?? {};
    const seen = { reason: refusal?.reason, metadata: said };
    expect([name, state, asker, wireProtocols[index], seen, subjectOfError]).toEqual([
      ...[name, state, asker, wireProtocols[index], wanted],
      reservationId,
    ]);
    if (reason === "ILLEGAL_STATE") expect(refusal?.message).toContain(`${state} and cannot become ${metadata(state, onRecord).wanted}`);
  }
  const inBatch = batched.get(method.input.typeName);
  if (inBatch === undefined || asker === "agent" || asker === "page") return;
  const { metadata: alone } = refusals[0] as Refusal;
  expect([name, state, asker, await askInBatch(scene, asker, inBatch, message(about))]).toEqual([
    name,
    state,
    asker,
    { reason, metadata: alone },
  ]);
}

/** Why whoever may not ask at all is refused, whatever the state. */
function refusalOfOthers({ others }: Ask, asker: Asker): string {
  if (asker === "agent") return "AGENT_KEY_NOT_ALLOWED";
  return asker === "page" ? "PUBLISHABLE_KEY_NOT_ALLOWED" : others[asker];
}

it("every RPC has its rows, or a word why no state of a reservation forbids it", () => {
  const withRows = new Set(Object.values(asks).map(({ method }) => nameOfMethod(method)));
  expect([...withRows, ...Object.keys(askedOfNone)].sort()).toEqual(everyMethod.map(nameOfMethod).sort());
  // Whatever a batch is made of has rows too, or makes a reservation.
  const inputs = new Set(Object.values(asks).map(({ method }) => method.input.typeName));
  expect([...batched.keys()].filter((name) => !inputs.has(name ?? ""))).toEqual(["petak.v1.ReserveRequest"]);
});

describe("a reservation", () => {
  it("is not moved on where its state or who asks does not allow it: the refusal says why", { timeout: 240_000 }, async () => {
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

      for (const [name, ask] of Object.entries(asks)) {
        const isRead = ask.method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
        for (const state of stateNames) {
          const subject = ask.ofBundle ? bundled[state] : alone[state];
          if (ask.never?.includes(state)) continue;
          if (subject === undefined) throw new Error(`nothing of a bundle is ${state}, which ${name} would be asked about`);
          const about = { ...subject, nowMs: clock.now(), holderPublicKey: scene.holderPublicKey };
          for (const [index, asker] of askers.entries()) {
            const refusedIn = ask.refusedIn[asker];
            if (refusedIn?.includes(state)) await expectRefusal(scene, name, subject, state, asker);
            if (refusedIn !== undefined && !isRead) continue;
            const protocol = wireProtocols[(index + stateNames.indexOf(state)) % wireProtocols.length] as WireProtocol;
            const refusal = await askOver(scene, protocol, asker, ask.method, ask.message(about));
            const wanted = refusedIn === undefined ? refusalOfOthers(ask, asker) : undefined;
            expect([name, state, asker, protocol, refusal?.reason]).toEqual([name, state, asker, protocol, wanted]);
          }
        }
        // A refusal changes nothing.
        for (const [state, subject] of everything) expect([name, await stateOf(subject)]).toEqual([name, ReservationState[state]]);
      }
    });
  });

  it("is not moved on after its limit, also where nobody has come by to say so", async () => {
    await inStatesScene(redis, 600_000, async (scene) => {
      const { clock, hold, confirmed, queued, reported } = scene;
      const [held, promised, waiting, together] = [await hold(), await confirmed(), await queued(), await confirmed(true)];
      const deposited = await reported(false, DeviceEventType.PARCEL_DEPOSITED);
      const refuse = (name: string, subject: Subject, state: StateName, onRecord: StateName) =>
        expectRefusal(scene, name, subject, state, "courier", onRecord);
      // A credential of less than a second is none.
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
