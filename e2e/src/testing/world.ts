import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { RequestSigner } from "@petak/client/node";
import { countersignatureText } from "@petak/credential";
import {
  Act,
  DeviceEventType,
  Mode,
  type Receipt,
  type Reservation,
  type ReserveRequestSchema,
  Role,
  type Site,
  SiteKind,
} from "@petak/protocol";
import { type MoreFacts, makeSite, type SiteFacts, type TestRedis } from "@petak/testkit";
import type { TestParticipant, TestParticipants } from "@petak/testkit/network";
import { newRegistration, startTestNetwork } from "@petak/testkit/network";
import { createRawCaller, type RawCaller } from "../wire/call.ts";
import { commandingIn } from "./commanding.ts";
import { newCode } from "./enrolling.ts";
import {
  type Callers,
  everyFacility,
  everySizeClass,
  type GoodRequest,
  type GoodRequestSubjects,
  makeGoodRequests,
  nowhereUrl,
} from "./good-requests.ts";

/** The position of the sites of these tests. */
export const origin = { latitude: 1.3, longitude: 103.8 };

/** A parcel that fits the sites of these tests. */
export const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };

/** The web origin of the publishable key. */
export const shopOrigin = "https://shop.example";

/** A network with all callers of these tests. */
export interface World {
  network: TestParticipants;
  raw: RawCaller;
  /** Runs `siteId`. */
  operator: TestParticipant;
  /** Runs `rivalSiteId`. */
  rival: TestParticipant;
  courier: TestParticipant;
  /** A courier that is a party to no reservation. */
  stranger: TestParticipant;
  liveOperator: TestParticipant;
  liveCourier: TestParticipant;
  siteId: string;
  rivalSiteId: string;
  /** The agent of `siteId`. */
  agent: RequestSigner;
  /** A publishable key for {@link shopOrigin}. */
  publishableKey: string;
  /** Makes a site with a new reference. */
  addSite(facts?: Partial<SiteFacts>, more?: MoreFacts): Promise<{ siteId: string; site: Site }>;
  /** Holds a place as the courier. */
  hold(place?: MessageInitShape<typeof ReserveRequestSchema>["place"]): Promise<Reservation>;
  /** Holds and confirms. */
  holdAndConfirm(place?: MessageInitShape<typeof ReserveRequestSchema>["place"]): Promise<Reservation>;
  /** Holds and confirms at a site of the operator, whose agent then reports the deposit. Returns the receipts so far. */
  deposited(): Promise<{ reservationId: string; receipts: Receipt[] }>;
  /** Holds and confirms at a site of the operator, whose agent then reports a doubt. */
  inDoubt(): Promise<Reservation>;
  stop(): Promise<void>;
}

/** The Authorization headers of the callers of good requests. */
export async function callersOf({ operator, courier, network, agent }: World): Promise<Callers> {
  const [operators, couriers, admins, agents] = await Promise.all([
    operator.signer.authorization(),
    courier.signer.authorization(),
    network.admin.signer.authorization(),
    agent.authorization(),
  ]);
  return { operator: operators, courier: couriers, admin: admins, agent: agents };
}

/** The Authorization header of a signer. */
export function authorizationOf({ signer }: { signer: RequestSigner }): Promise<string> {
  return signer.authorization();
}

/** Starts a network that all participants join. */
export async function startWorld(redis: TestRedis): Promise<World> {
  const network = await startTestNetwork({ redis });
  return await populate(network, () => network.stop());
}

/** Makes all participants join the network of a running gateway; `stop` stops it. */
export async function populate(network: TestParticipants, stop: () => Promise<void>): Promise<World> {
  const [operator, rival, courier, stranger, liveOperator, liveCourier] = await Promise.all([
    network.join("Operator", [Role.OPERATOR]),
    network.join("Rival", [Role.OPERATOR]),
    network.join("Courier", [Role.COURIER]),
    network.join("Stranger", [Role.COURIER]),
    network.join("Live operator", [Role.OPERATOR], Mode.LIVE),
    network.join("Live courier", [Role.COURIER], Mode.LIVE),
  ]);
  const addTo = async (owner: TestParticipant, facts: Partial<SiteFacts> = {}, more: MoreFacts = {}) => {
    const ref = randomUUID();
    const site = makeSite({ ...origin, kind: SiteKind.PARCEL_TERMINAL, ref, ...facts }, more);
    return { siteId: await network.putSite(owner, site), site };
  };
  const { siteId } = await addTo(operator, {}, { ...everyFacility, sizeClasses: [everySizeClass(1000)] });
  const { siteId: rivalSiteId } = await addTo(rival);
  const { publishableKey } = await operator.client.participants.createPublishableKey({
    requestId: randomUUID(),
    mode: Mode.TEST,
    origins: [shopOrigin],
    // The tests call faster than any page.
    requestsPerSecond: 1000,
  });
  const hold: World["hold"] = async (place = { case: "siteId", value: siteId }) => {
    const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel });
    if (reservation === undefined) throw new Error("nothing held");
    return reservation;
  };
  const holdAndConfirm: World["holdAndConfirm"] = async (place) => {
    const { reservationId } = await hold(place);
    const { reservation } = await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
    if (reservation === undefined) throw new Error("nothing confirmed");
    return reservation;
  };
  const raw = createRawCaller(Number(new URL(network.baseUrl).port));
  return {
    network,
    raw,
    operator,
    rival,
    courier,
    stranger,
    liveOperator,
    liveCourier,
    siteId,
    rivalSiteId,
    agent: await network.agentSigner(operator, siteId),
    publishableKey: publishableKey?.publishableKey ?? "",
    addSite: (facts, more) => addTo(operator, facts, more),
    hold,
    holdAndConfirm,
    async deposited() {
      const { siteId: fullId } = await addTo(operator);
      const { reservationId } = await holdAndConfirm({ case: "siteId", value: fullId });
      const agent = await network.reporterAt(operator, fullId);
      await agent.report({ type: DeviceEventType.PARCEL_DEPOSITED, reservationId });
      const { receipts } = await courier.client.custody.getCustodyChain({ reservationId });
      return { reservationId, receipts };
    },
    async inDoubt() {
      // A separate site, because each agent numbers its own reports.
      const { siteId: doubtfulId } = await addTo(operator);
      const doubtful = await holdAndConfirm({ case: "siteId", value: doubtfulId });
      const agent = await network.reporterAt(operator, doubtfulId);
      await agent.report({ type: DeviceEventType.DOUBT, reservationId: doubtful.reservationId });
      return doubtful;
    },
    async stop() {
      raw.close();
      await stop();
    },
  };
}

/** Makes a webhook endpoint that reaches nobody. Returns its id. */
export async function addWebhook({ client }: TestParticipant): Promise<string> {
  const { endpoint } = await client.webhooks.createEndpoint({ requestId: randomUUID(), url: nowhereUrl });
  return endpoint?.endpointId ?? "";
}

/** A receipt of a deposit by the courier, with the courier's signature. */
export async function countersigning(world: World): Promise<GoodRequestSubjects["toCountersign"]> {
  const { participantId, signer } = world.courier;
  const { reservationId, receipts } = await world.deposited();
  const { number = 0, hash: receiptHash = "" } = receipts.at(-1) ?? {};
  const { keyId } = signer;
  const signature = await signer.sign(countersignatureText({ keyId, participantId, receiptHash }));
  return { reservationId, number, receiptHash, keyId, signature };
}

/** Makes a bundle of one reservation, and an access token to collect it. */
export async function bundleAlone(
  { client }: TestParticipant,
  reservationId: string,
): Promise<Pick<GoodRequestSubjects, "bundleId" | "accessToken" | "bundleCredentialHash">> {
  const { bundle } = await client.reservations.putBundle({ requestId: randomUUID(), reservationIds: [reservationId] });
  const bundleId = bundle?.bundleId ?? "";
  const { accessToken } = await client.reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.COLLECT });
  const { credentialHash } = await client.reservations.issueBundleCredential({ requestId: randomUUID(), bundleId });
  return { bundleId, accessToken, bundleCredentialHash: credentialHash };
}

/** A reservation, and the event that made it. */
export async function correcting({ courier }: World, reservationId: string): Promise<GoodRequestSubjects["toCorrect"]> {
  const { events } = await courier.client.custody.getCustodyChain({ reservationId });
  return { reservationId, eventIds: events.slice(0, 1).map(({ eventId }) => eventId) };
}

/** One good request for each RPC, with new subjects. */
export async function goodRequestsIn(world: World): Promise<GoodRequest[]> {
  const { operator, courier } = world;
  const [retirable, toConfirm, toCancel, toOpen, toRedirect, toResolve, toCountersign, spare] = await Promise.all([
    world.addSite(),
    world.hold(),
    world.hold(),
    world.holdAndConfirm(),
    world.hold(),
    world.inDoubt(),
    countersigning(world),
    newRegistration(courier.participantId),
  ]);
  const { key } = await courier.client.participants.registerKey(spare.request);
  // A site of its own: the device that enrols is in charge, and the agent of the others would be refused.
  const enrolling = await world.addSite();
  const [toEnrol, toRevoke] = await Promise.all([newCode(operator, enrolling.siteId), newCode(operator, retirable.siteId)]);
  const [webhookEndpointId, deletableEndpointId] = await Promise.all([addWebhook(courier), addWebhook(courier)]);
  return await makeGoodRequests({
    origin,
    parcel,
    siteId: world.siteId,
    retirableSiteId: retirable.siteId,
    operatorId: operator.participantId,
    courierId: courier.participantId,
    revocableKeyId: key?.keyId ?? "",
    copied: await copiedAgent(world),
    commanding: await commandingIn(world),
    enrolmentCode: toEnrol.code,
    revocableEnrolmentId: toRevoke.enrolmentId,
    toConfirm: toConfirm.reservationId,
    toCancel: toCancel.reservationId,
    toOpen: toOpen.reservationId,
    toRedirect: toRedirect.reservationId,
    toResolve: toResolve.reservationId,
    ...(await bundleAlone(courier, toOpen.reservationId)),
    webhookEndpointId,
    deletableEndpointId,
    toCountersign,
    toCorrect: await correcting(world, toOpen.reservationId),
    agent: world.agent,
    nextSequence: 1n,
  });
}

/** A site whose agent has an epoch. */
export async function copiedAgent({ network, operator, addSite }: Pick<World, "network" | "operator" | "addSite">) {
  const { siteId } = await addSite();
  const signer = await network.agentSigner(operator, siteId);
  const [bootNonce, processNonce] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)];
  await network.clientFor(signer).agents.boot({ siteId, bootNonce, processNonce });
  return { siteId, keyId: signer.keyId };
}
