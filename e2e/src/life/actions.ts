import { randomUUID } from "node:crypto";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { countersignatureText } from "@petak/credential";
import {
  Act,
  type BatchError,
  CancellationReason,
  CorrectionReason,
  DeviceEventType,
  DoubtOutcome,
  LiveReservations,
  PetakError,
  type Reason,
  type Reservation,
  ReservationState,
  type Site,
  SiteLifecycle,
} from "@petak/protocol";
import type { Random } from "@petak/testkit";
import { nameOf, placesToMoveTo, positionAt, randomTerms, termsMessage, type World } from "./life-world.ts";
import {
  type Actor,
  final,
  isCancelledWithSite,
  type LifeModel,
  type ModelBundle,
  type ModelOutcome,
  type ModelReservation,
} from "./model.ts";
import type { ModelCredential, ModelRecord } from "./model-credentials.ts";
import { keeps, retiredBy } from "./model-sites.ts";
import { drawShown, holderKey, sayShown } from "./shown-credentials.ts";

/** An action of a party, applied to the model and to the gateway. */
export interface Action {
  said: string;
  expected: ModelOutcome | { done: true };
  send: () => Promise<Reservation | undefined>;
}

/** The state from which actions are drawn. */
export interface Scene {
  random: Random;
  model: LifeModel;
  world: World;
  /** The reservation of the action. Default: any. */
  focus?: ModelReservation;
}

/** Makes an action of a party; undefined if it has no possible subject yet. */
type Maker = (scene: Scene, by: Actor) => Action | undefined;

const minuteMs = 60_000;
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const { publicKey: holderPublicKey } = holderKey;
/** The hash of no credential. */
const unknownHash = "A".repeat(43);

/** Makers of the actions on reservations, by the name of the call. */
export const makers: Readonly<Record<string, Maker>> = {
  "ReservationService/Reserve": reserve,
  "ReservationService/Confirm": ofReservation((scene, by, reservation) => {
    const minutes = scene.random.int(1, 60);
    return {
      said: `${by} confirms ${about(reservation)}`,
      expected: scene.model.confirm(by, reservation, minutes * minuteMs, scene.world.clock.now()),
      send: callOf(scene, by, "confirm", { reservationId: idOf(scene, reservation), depositWithin: { seconds: BigInt(minutes * 60) } }),
    };
  }),
  "ReservationService/Extend": ofReservation((scene, by, reservation) => {
    const nowMs = scene.world.clock.now();
    const minutes = scene.random.bool(0.3) ? scene.random.int(1, 5) * 1440 : scene.random.int(-10, 120);
    const untilMs = nowMs + minutes * minuteMs;
    return {
      said: `${by} extends ${about(reservation)} to ${minutes} min from now`,
      expected: scene.model.extend(by, reservation, untilMs, nowMs),
      send: callOf(scene, by, "extend", { reservationId: idOf(scene, reservation), until: timestampFromMs(untilMs) }),
    };
  }),
  "ReservationService/Cancel": ofReservation((scene, by, reservation) => ({
    said: `${by} cancels ${about(reservation)}`,
    expected: scene.model.cancel(by, reservation, scene.world.clock.now()),
    send: callOf(scene, by, "cancel", { reservationId: idOf(scene, reservation), reason: CancellationReason.OTHER }),
  })),
  "ReservationService/Redirect": ofReservation((scene, by, reservation) => {
    const site = scene.random.int(0, scene.world.siteIds.length - 1);
    const place = { case: "siteId", value: scene.world.siteIds[site] ?? "" } as const;
    return {
      said: `${by} redirects ${about(reservation)} to ${site}`,
      expected: scene.model.redirect(by, reservation, site, scene.world.clock.now()),
      send: callOf(scene, by, "redirect", { reservationId: idOf(scene, reservation), place, reason: CancellationReason.REROUTED }),
    };
  }),
  "ReservationService/ResolveDoubt": ofReservation((scene, by, reservation) => {
    const outcome = scene.random.pick([DoubtOutcome.COLLECTED, DoubtOutcome.RECALLED, DoubtOutcome.NO_PARCEL]);
    const reservationId = idOf(scene, reservation);
    return {
      said: `${by} resolves ${about(reservation)} as ${nameOf(DoubtOutcome, outcome)}`,
      expected: scene.model.resolve(by, reservation, outcome, scene.world.clock.now()),
      send: async () => (await callsOf(scene, by).resolveDoubt({ requestId: randomUUID(), reservationId, outcome })).reservation,
    };
  }),
  "ReservationService/IssueCredential": ofReservation((scene, by, reservation) => {
    const act = scene.random.pick([Act.DEPOSIT, Act.COLLECT, Act.COLLECT, Act.RECALL]);
    const expected = scene.model.issue(by, reservation, act, scene.world.clock.now());
    const request = { reservationId: idOf(scene, reservation), act, ...(act === Act.RECALL ? { holderPublicKey } : {}) };
    return {
      said: `${by} asks for a credential, ${nameOf(Act, act)}, of ${about(reservation)}`,
      expected,
      send: callOf(scene, by, "issueCredential", request, (token) => keep(scene, reservation, expected, token)),
    };
  }),
  "ReservationService/DelegateCredential": delegate,
  "ReservationService/RevokeCredential": revoke,
  "ReservationService/PutBundle": ofReservation(putBundle),
  "ReservationService/IssueBundleCredential": (scene, by) => {
    if (scene.model.bundles.length === 0) return undefined;
    const bundle = scene.random.pick(scene.model.bundles);
    const bundleId = scene.world.bundleIds[bundle.id] ?? "";
    const expected = scene.model.issueBundle(by, bundle, scene.world.clock.now());
    return {
      said: `${by} asks for a credential of bundle ${bundle.id}`,
      expected,
      send: async () => {
        const token = await callsOf(scene, by).issueBundleCredential({ requestId: randomUUID(), bundleId, withPin: true });
        return keep(scene, bundle, expected, token);
      },
    };
  },
  "CustodyService/CorrectEvents": ofReservation((scene, by, reservation) => {
    const isThere = scene.random.bool(0.7);
    const reservationId = idOf(scene, reservation);
    const { courier, [by]: party } = scene.world.people;
    return {
      said: `${by} declares ${isThere ? "an event" : "an unknown event"} of ${about(reservation)} wrong`,
      expected: scene.model.correct(by, reservation, isThere),
      send: async () => {
        const { events } = await courier.client.custody.getCustodyChain({ reservationId });
        const eventIds = [isThere ? (events[0]?.eventId ?? "") : "evt_none"];
        const request = { requestId: randomUUID(), reservationId, eventIds, reason: CorrectionReason.OTHER };
        await party.client.custody.correctEvents(request);
        return undefined;
      },
    };
  }),
  "CustodyService/CountersignReceipt": ofReservation((scene, by, reservation) => {
    // Usually the receipt of a hand-over, because others cannot be countersigned.
    const handOvers = reservation.receipts.flatMap(({ sides }, index) => (sides.length > 0 ? [index + 1] : []));
    const isHandOver = handOvers.length > 0 && scene.random.bool(0.7);
    const number = isHandOver ? scene.random.pick(handOvers) : scene.random.int(1, reservation.receipts.length + 1);
    const reservationId = idOf(scene, reservation);
    const { courier, [by]: party } = scene.world.people;
    const { participantId, signer } = party;
    return {
      said: `${by} signs under receipt ${number} of ${about(reservation)}`,
      expected: scene.model.countersign(by, reservation, number),
      send: async () => {
        const { receipts } = await courier.client.custody.getCustodyChain({ reservationId });
        const receiptHash = receipts[number - 1]?.hash ?? unknownHash;
        const signature = await signer.sign(countersignatureText({ keyId: signer.keyId, participantId, receiptHash }));
        const signed = { receiptHash, keyId: signer.keyId, signature };
        await party.client.custody.countersignReceipt({ requestId: randomUUID(), reservationId, number, ...signed });
        return undefined;
      },
    };
  }),
  "DirectoryService/SetDefaultTerms": (scene, by) => {
    const terms = randomTerms(scene.random);
    const { directory } = scene.world.people[by].client;
    return {
      said: `${by} sets default terms`,
      expected: scene.model.setDefaults(by, terms),
      send: async () => {
        await directory.setDefaultTerms({ requestId: randomUUID(), terms: termsMessage(terms) });
        return undefined;
      },
    };
  },
  "AgentService/ReportEvents": ofReservation((scene, by, reservation) => {
    const { agents } = scene.world.people[by].client;
    const siteId = scene.world.siteIds[reservation.site] ?? "";
    return {
      said: `${by} reports as if it were the agent`,
      expected: { refused: "AGENT_KEY_REQUIRED" },
      send: async () => {
        const occurredAt = timestampFromMs(scene.world.clock.now());
        const what = { sequence: 1n, deviceEventId: randomUUID(), type: PARCEL_DEPOSITED, occurredAt, signature: new Uint8Array(64) };
        await agents.reportEvents({ siteId, events: [{ ...what, reservationId: idOf(scene, reservation) }] });
        return undefined;
      },
    };
  }),
};

const { DOOR_OPENED, PARCEL_DEPOSITED, PARCEL_COLLECTED, PARCEL_RECALLED, DOUBT } = DeviceEventType;
const reports = [DOOR_OPENED, PARCEL_DEPOSITED, PARCEL_DEPOSITED, PARCEL_COLLECTED, PARCEL_RECALLED, DOUBT];

const movedBy: ReadonlyMap<DeviceEventType, Act> = new Map([
  [PARCEL_DEPOSITED, Act.DEPOSIT],
  [PARCEL_COLLECTED, Act.COLLECT],
  [PARCEL_RECALLED, Act.RECALL],
]);

/** Whether a reservation has neither a promised place nor a parcel inside. */
function isOver(state: ReservationState): boolean {
  const { HELD, CONFIRMED, DEPOSITED, IN_DOUBT } = ReservationState;
  const standing: readonly ReservationState[] = [HELD, CONFIRMED, DEPOSITED, IN_DOUBT];
  return !standing.includes(state);
}

/** A report of an agent, usually that of the reservation's site. */
export function report(scene: Scene, types: readonly DeviceEventType[] = reports): Action | undefined {
  const { random, model, world } = scene;
  const reservation = someReservation(scene);
  if (reservation === undefined) return undefined;
  const type = random.pick(types);
  const act = random.bool(0.8) ? Act.DEPOSIT : random.pick([Act.COLLECT, Act.SERVICE]);
  const isElsewhere = random.bool(0.05);
  const site = isElsewhere ? 1 - reservation.site : reservation.site;
  const siteId = world.siteIds[site] ?? "";
  // One parcel more than there are places tells another reservation that it lacks one: `directory/site-changes.test.ts` has that.
  if (!isElsewhere && isOver(reservation.state) && (model.held[site] ?? 0) > 0 && model.free(site) === 0) return undefined;
  const nowMs = world.clock.now();
  const needed = type === DOOR_OPENED ? Act.DEPOSIT : (movedBy.get(type) ?? Act.DEPOSIT);
  const shown = drawShown(random, model, reservation, needed);
  // A site without a network reports late.
  const occurredMs = nowMs - (random.bool(0.3) ? random.int(1, 30) * minuteMs : 0);
  return {
    said: `the agent${isElsewhere ? " of another site" : ""} reports ${nameOf(DeviceEventType, type)} of ${about(reservation)} with ${shown.said}`,
    expected: isElsewhere ? { reservation } : model.report(reservation, { type, act, occurredMs, isProven: shown.isProven }, nowMs),
    send: async () => {
      const sequence = (world.sequences[site] ?? 0n) + 1n;
      world.sequences[site] = sequence;
      const reservationId = idOf(scene, reservation);
      const occurredAt = timestampFromMs(occurredMs);
      const said = await sayShown(world, shown, { type, siteId, reservationId });
      const what = { type, occurredAt, reservationId, act, ...said, ...(type === DOOR_OPENED && { act }) };
      const events = [{ sequence, deviceEventId: randomUUID(), ...what }];
      await world.agents[site]?.agents.reportEvents({ siteId, events });
      return undefined;
    },
  };
}

/** The calls for a reservation in each state when all goes well, with their relative frequency. */
const steps: ReadonlyMap<ReservationState, Readonly<Record<string, number>>> = new Map<ReservationState, Record<string, number>>([
  [ReservationState.QUEUED, { "ReservationService/Redirect": 2, "ReservationService/Extend": 1 }],
  [ReservationState.HELD, { "ReservationService/Confirm": 1 }],
  [
    ReservationState.CONFIRMED,
    {
      "ReservationService/IssueCredential": 2,
      "ReservationService/PutBundle": 2,
      "ReservationService/Cancel": 1,
      "ReservationService/Redirect": 1,
      deposited: 3,
    },
  ],
  [
    ReservationState.DEPOSITED,
    {
      "ReservationService/IssueCredential": 2,
      "ReservationService/DelegateCredential": 4,
      "ReservationService/RevokeCredential": 3,
      "ReservationService/Extend": 3,
      "CustodyService/CountersignReceipt": 3,
      collected: 1,
    },
  ],
  [ReservationState.IN_DOUBT, { "ReservationService/ResolveDoubt": 1 }],
  [ReservationState.CANCELLED, { "ReservationService/Redirect": 1 }],
]);

/** States from which many steps are possible. */
const advanced: readonly ReservationState[] = [ReservationState.CONFIRMED, ReservationState.DEPOSITED];

/** The calls that a site refuses which is out of service. */
const refusedBySite: ReadonlyMap<ReservationState, string> = new Map([
  [ReservationState.HELD, "ReservationService/Confirm"],
  [ReservationState.CONFIRMED, "ReservationService/IssueCredential"],
]);

/** The next step of a reservation when all goes well. Without such steps, few lives would get far. */
export function nextStep(scene: Scene): { scene: Scene; call: string; isOperators: boolean } | Action | undefined {
  const { random, model } = scene;
  // Refusals by a site out of service are rare otherwise: few reservations stand when their site is paused, and not for long.
  const stuck = model.reservations.filter(({ state, site }) => refusedBySite.has(state) && !keeps(model.site(site)));
  if (stuck.length > 0 && random.bool(0.5)) {
    const focus = random.pick(stuck);
    return { scene: { ...scene, focus }, call: refusedBySite.get(focus.state) ?? "", isOperators: false };
  }
  const standing = model.reservations.filter((one) => steps.has(one.state) && (!final.includes(one.state) || isCancelledWithSite(one)));
  const far = standing.filter(({ state }) => advanced.includes(state));
  const some = far.length > 0 && random.bool(0.7) ? far : standing;
  if (some.length === 0) return undefined;
  const focus = random.pick(some);
  const call = random.pick(Object.entries(steps.get(focus.state) ?? {}).flatMap(([step, times]) => Array<string>(times).fill(step)));
  const focused = { ...scene, focus };
  if (call === "deposited") return report(focused, [PARCEL_DEPOSITED]);
  if (call === "collected") return report(focused, [PARCEL_COLLECTED]);
  const mayBeOperators = call === "ReservationService/Cancel" || call === "ReservationService/Extend";
  return { scene: focused, call, isOperators: call === "ReservationService/ResolveDoubt" || (mayBeOperators && random.bool(0.3)) };
}

const decisions = [LiveReservations.REFUSE, LiveReservations.DRAIN, LiveReservations.CANCEL];

/** Makers of the changes of a site, by the name of the call. The sweep tells the reservations of it afterwards. */
export const siteMakers: Readonly<Record<string, (scene: Scene, by: Actor, site: number) => Action>> = {
  "DirectoryService/UpsertSites": upsertSite,
  "DirectoryService/RetireSites": ({ random, model, world }, by, site) => {
    const liveReservations = random.pick(decisions);
    const after = { ...model.site(site), ...retiredBy(liveReservations) };
    return {
      said: `${by} retires ${site}, ${nameOf(LiveReservations, liveReservations)}`,
      expected: model.changeSite(by, site, after, liveReservations, world.clock.now()),
      send: async () => {
        const { directory } = world.people[by].client;
        await directory.retireSites({ requestId: randomUUID(), siteIds: [world.siteIds[site] ?? ""], liveReservations });
        return undefined;
      },
    };
  },
};

/** Pauses a site, puts it back into service, or moves it. */
function upsertSite({ random, model, world }: Scene, by: Actor, site: number): Action {
  const first = world.sites[site] as Site;
  const before = model.site(site);
  const { ACTIVE, MAINTENANCE, DECOMMISSIONED } = SiteLifecycle;
  const isMove = random.bool(0.4);
  const southDeg = isMove ? random.pick(placesToMoveTo(first, world.siteIds[site] ?? "")) : before.southDeg;
  const other = before.lifecycle !== ACTIVE && random.bool(0.8) ? ACTIVE : MAINTENANCE;
  const lifecycle = isMove ? before.lifecycle : other;
  const liveReservations = isMove ? random.pick(decisions) : LiveReservations.REFUSE;
  const service = lifecycle === DECOMMISSIONED ? retiredBy(liveReservations) : { lifecycle, draining: false };
  const moves = `moves ${site} by ${southDeg}, ${nameOf(LiveReservations, liveReservations)}`;
  // With this reference the rival would make a site of its own.
  const validateOnly = by === "rival";
  return {
    said: `${by} ${isMove ? moves : `puts ${site} into ${nameOf(SiteLifecycle, lifecycle)}`}`,
    expected: validateOnly ? { done: true } : model.changeSite(by, site, { ...service, southDeg }, liveReservations, world.clock.now()),
    send: async () => {
      const sites = [{ ...first, lifecycle, position: positionAt(first, southDeg) }];
      await world.people[by].client.directory.upsertSites({ requestId: randomUUID(), sites, liveReservations, validateOnly });
      return undefined;
    },
  };
}

function reserve(scene: Scene, by: Actor): Action | undefined {
  const { random, model, world } = scene;
  // The lives of the other courier's reservations are separate.
  if (by === "stranger") return undefined;
  const site = random.int(0, world.siteIds.length - 1);
  const waitMinutes = random.bool(0.7) ? random.int(5, 90) : 0;
  const nowMs = world.clock.now();
  const place = { case: "siteId", value: world.siteIds[site] ?? "" } as const;
  if (random.bool(0.3)) return reserveAtEither(scene, by, site);
  const overflowPolicy = waitMinutes > 0 ? { overflowPolicy: { wait: { seconds: BigInt(waitMinutes * 60) } } } : {};
  return {
    said: `${by} reserves at ${site}, to wait ${waitMinutes} min`,
    expected: model.reserve(by, site, nowMs, waitMinutes > 0 ? nowMs + waitMinutes * minuteMs : undefined),
    send: callOf(scene, by, "reserve", { place, parcel, ...overflowPolicy }),
  };
}

/** The search distance, in m: it includes the other site of the same life, and no site of any other. */
const eitherM = 2000;

/** Reserves at a site or, if it is full, at the other one: by an overflow policy, or because any nearest site is accepted. */
function reserveAtEither(scene: Scene, by: Actor, site: number): Action {
  const { random, model, world } = scene;
  const others = world.siteIds.map((_, index) => index).filter((index) => index !== site);
  const isNamed = random.bool(0.5);
  const isElsewhereToo = random.bool(0.7);
  const radiusM = isElsewhereToo ? eitherM : eitherM / 4;
  const place = isNamed
    ? ({ case: "siteId", value: world.siteIds[site] ?? "" } as const)
    : ({ case: "nearest", value: { origin: positionAt(world.sites[site] as Site, model.site(site).southDeg), radiusM } } as const);
  const overflowPolicy = isNamed && isElsewhereToo ? { overflowPolicy: { maxDistanceM: eitherM } } : {};
  return {
    said: `${by} reserves ${isNamed ? "at" : "near"} ${site}${isElsewhereToo ? " or elsewhere" : ""}`,
    expected: model.reserveAtFirst(by, [site, ...(isElsewhereToo ? others : [])], isNamed, world.clock.now()),
    send: callOf(scene, by, "reserve", { place, parcel, requirements: { anyCountry: true }, ...overflowPolicy }),
  };
}

function delegate(scene: Scene, by: Actor): Action | undefined {
  const { random, model, world } = scene;
  const record = recordWith(scene, ({ issued }) => issued.length > 0);
  if (record === undefined) return undefined;
  // Usually the last one issued: older ones have often expired.
  const known = [...record.issued, ...record.delegated];
  const parent = random.bool(0.6) ? (record.issued.at(-1) as ModelCredential) : random.pick(known);
  const { accessToken = "" } = world.tokens.get(parent) ?? {};
  const nowMs = world.clock.now();
  const expected = isBundle(record) ? model.delegateBundle(by, record, parent, nowMs) : model.delegate(by, record, parent, nowMs);
  const key = parent.act === Act.RECALL ? { holderPublicKey } : {};
  return {
    said: `${by} lets somebody else collect ${aboutRecord(record)} by a credential, ${nameOf(Act, parent.act)}${parent.parent ? ", of a delegate" : ""}`,
    expected,
    send: async () => {
      const token = await callsOf(scene, by).delegateCredential({ requestId: randomUUID(), accessToken, ...key });
      if ("reservation" in expected) world.tokens.set(record.delegated.at(-1) as ModelCredential, token);
      return undefined;
    },
  };
}

function revoke(scene: Scene, by: Actor): Action | undefined {
  const { random, model, world } = scene;
  const record = recordWith(scene, () => true);
  if (record === undefined) return undefined;
  const known = [...record.issued, ...record.delegated];
  // Usually a credential from which others were delegated, sometimes one that does not exist.
  const parents = record.delegated.flatMap(({ parent }) => parent ?? []);
  const some = parents.length > 0 && random.bool(0.5) ? parents : known;
  const credential = some.length > 0 && random.bool(0.9) ? random.pick(some) : { act: Act.COLLECT, expiresMs: 0 };
  const nowMs = world.clock.now();
  const { credentialHash = Buffer.from(random.bytes(32)).toString("base64url") } = world.tokens.get(credential) ?? {};
  const subject = isBundle(record)
    ? ({ case: "bundleId", value: world.bundleIds[record.id] ?? "" } as const)
    : ({ case: "reservationId", value: idOf(scene, record) } as const);
  return {
    said: `${by} revokes a credential${credential.parent ? " of a delegate" : ""} of ${aboutRecord(record)}`,
    expected: isBundle(record) ? model.revokeOfBundle(by, record, credential, nowMs) : model.revoke(by, record, credential, nowMs),
    send: async () => {
      await callsOf(scene, by).revokeCredential({ requestId: randomUUID(), subject, credentialHash, pin: random.bool(0.3) });
      return undefined;
    },
  };
}

function putBundle(scene: Scene, by: Actor, reservation: ModelReservation): Action {
  const { random, model, world } = scene;
  const bundle = model.bundles.length === 0 || random.bool(0.3) ? undefined : random.pick(model.bundles);
  const bundleId = bundle === undefined ? "" : (world.bundleIds[bundle.id] ?? "");
  const near = model.reservations.filter(({ site }) => site === reservation.site);
  const others = random.shuffle(random.bool(0.9) ? near : model.reservations).filter((other) => other !== reservation);
  const members = [reservation, ...others.slice(0, random.int(0, 3))];
  const states = members.map(({ state }) => nameOf(ReservationState, state));
  const newId = model.bundles.length;
  return {
    said: `${by} puts ${members.map(({ id }) => id).join(", ")} (${[...new Set(states)].sort().join(", ")}) into bundle ${bundle?.id ?? "new"}`,
    expected: model.putBundle(by, members, bundle),
    send: async () => {
      const reservationIds = members.map((member) => idOf(scene, member));
      const answer = await callsOf(scene, by).putBundle({ requestId: randomUUID(), bundleId, reservationIds });
      if (bundle === undefined) world.bundleIds[newId] = answer.bundle?.bundleId ?? "";
      return undefined;
    },
  };
}

function ofReservation(make: (scene: Scene, by: Actor, reservation: ModelReservation) => Action): Maker {
  return (scene, by) => {
    const reservation = someReservation(scene);
    return reservation && make(scene, by, reservation);
  };
}

/** A reservation, usually one that can still change. */
function someReservation({ random, model, focus }: Scene): ModelReservation | undefined {
  if (focus !== undefined) return focus;
  const live = model.reservations.filter(({ state }) => !final.includes(state));
  const some = live.length > 0 && random.bool(0.6) ? live : model.reservations;
  return some.length === 0 ? undefined : random.pick(some);
}

/** A reservation or bundle with a property. */
function recordWith(
  { random, model, focus }: Scene,
  isWanted: (record: ModelRecord) => boolean,
): ModelReservation | ModelBundle | undefined {
  if (focus !== undefined && isWanted(focus)) return focus;
  const found = random.shuffle([model.reservations, model.bundles]).map((records) => records.filter(isWanted));
  const some = found.find((records) => records.length > 0);
  return some === undefined ? undefined : random.pick<ModelReservation | ModelBundle>(some);
}

function isBundle(record: ModelReservation | ModelBundle): record is ModelBundle {
  return "members" in record;
}

function keep(
  { world }: Scene,
  { issued }: ModelRecord,
  expected: ModelOutcome,
  token: { accessToken: string; credentialHash: string },
): undefined {
  if ("reservation" in expected) world.tokens.set(issued.at(-1) as ModelCredential, token);
}

function callsOf({ world }: Scene, by: Actor) {
  return world.people[by].client.reservations;
}

type BatchedCall = "reserve" | "confirm" | "extend" | "cancel" | "redirect" | "issueCredential";

interface BatchedAnswer {
  reservation?: Reservation;
  accessToken: string;
  credentialHash: string;
}

/** Makes a call alone or, sometimes, in a batch, with the same result. */
function callOf(
  scene: Scene,
  by: Actor,
  which: BatchedCall,
  rest: object,
  take: (answer: BatchedAnswer) => Reservation | undefined = ({ reservation }) => reservation,
): () => Promise<Reservation | undefined> {
  const calls = callsOf(scene, by);
  const request = { requestId: randomUUID(), ...rest };
  if (!scene.random.bool(0.2)) {
    return async () => take((await calls[which](request as never)) as unknown as BatchedAnswer);
  }
  return async () => {
    const { results } = await calls.batch({ calls: [{ call: { case: which, value: request } as never }] });
    const { result } = results[0] ?? {};
    if (result?.case !== "error") return take(result?.value as unknown as BatchedAnswer);
    const { reason, message } = result.value as BatchError;
    throw new PetakError(reason as Reason, message, reason === "NO_PLACE_FREE" ? { retryAfterMs: 1 } : {});
  };
}

function idOf({ world }: Scene, { id }: ModelReservation): string {
  return world.ids[id] ?? "";
}

function about({ id, state }: ModelReservation): string {
  return `reservation ${id}, ${nameOf(ReservationState, state)}`;
}

function aboutRecord(record: ModelReservation | ModelBundle): string {
  return isBundle(record) ? `bundle ${record.id}` : about(record);
}
