import { create, type DescMethod, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import { AgentService } from "@petak/protocol";
import { Health, ServerReflectionV1, ServerReflectionV1Alpha } from "@petak/protocol/grpc";
import type { Random } from "@petak/testkit";
import { newRegistration } from "@petak/testkit/network";
import { commandingIn } from "../testing/commanding.ts";
import { newCode } from "../testing/enrolling.ts";
import { type Callers, makeGoodRequests } from "../testing/good-requests.ts";
import {
  addWebhook,
  authorizationOf,
  bundleAlone,
  callersOf,
  copiedAgent,
  correcting,
  countersigning,
  origin,
  parcel,
  type World,
} from "../testing/world.ts";

/** A valid call, to be mutated. */
export interface ValidCall {
  method: DescMethod;
  message: Message;
  /** The Authorization header of the call; undefined for services that need none. */
  authorization: string | undefined;
}

/** An endless supply of valid calls to everything that a gateway serves. */
export interface Corpus {
  next(random: Random): ValidCall;
  /** Authorization headers of every kind of caller. */
  authorizations: readonly string[];
}

/** How many reservations of each kind are made for the calls to act on. */
const reservationsOfEach = 40;

/**
 * Calls whose responses grow with what earlier calls have made. They are rare, so that the number of requests does not determine how long
 * each takes.
 */
const rare = new Set([
  "UpsertSites",
  "RetireSites",
  "ListEvents",
  "WatchEvents",
  "WatchCommands",
  "CreateParticipant",
  "ListParticipants",
  "RegisterKey",
  "ListKeys",
  "CreatePublishableKey",
  "CreateEnrolmentCode",
  "CreateEndpoint",
  "ListEndpoints",
  "TestEndpoint",
  "ReplayEvents",
  "Watch",
]);

/** Fills a network with the subjects of the calls. */
export async function createCorpus(world: World): Promise<Corpus> {
  const { operator, courier, stranger, liveCourier } = world;
  const [held, confirmed, doubtful, retirable, spareKeys] = await Promise.all([
    manyOf(reservationsOfEach, async () => (await world.hold()).reservationId),
    manyOf(reservationsOfEach, async () => (await world.holdAndConfirm()).reservationId),
    manyOf(5, async () => (await world.inDoubt()).reservationId),
    manyOf(5, async () => (await world.addSite()).siteId),
    manyOf(10, async () => {
      const { key } = await courier.client.participants.registerKey((await newRegistration(courier.participantId)).request);
      return key?.keyId ?? "";
    }),
  ]);
  const toCountersign = await countersigning(world);
  const [webhookEndpointId = "", deletableEndpointId = ""] = await manyOf(2, () => addWebhook(courier));
  const [toEnrol, toRevoke] = await Promise.all([newCode(operator, retirable[1] ?? ""), newCode(operator, retirable[0] ?? "")]);
  const copied = await copiedAgent(world);
  const commanding = await commandingIn(world);
  const callers: Callers = await callersOf(world);
  const sound: ValidCall[] = [];
  for (let variant = 0; variant < reservationsOfEach; variant += 1) {
    const requests = await makeGoodRequests({
      origin,
      parcel,
      siteId: world.siteId,
      retirableSiteId: retirable[variant % retirable.length] ?? "",
      operatorId: operator.participantId,
      courierId: courier.participantId,
      revocableKeyId: spareKeys[variant % spareKeys.length] ?? "",
      toConfirm: held[variant] ?? "",
      toCancel: held[(variant + 7) % held.length] ?? "",
      toOpen: confirmed[variant] ?? "",
      toRedirect: held[(variant + 13) % held.length] ?? "",
      toResolve: doubtful[variant % doubtful.length] ?? "",
      ...(await bundleAlone(courier, confirmed[variant] ?? "")),
      copied,
      commanding,
      enrolmentCode: toEnrol.code,
      revocableEnrolmentId: toRevoke.enrolmentId,
      webhookEndpointId,
      deletableEndpointId,
      toCountersign,
      toCorrect: await correcting(world, confirmed[variant] ?? ""),
      agent: world.agent,
      nextSequence: BigInt(variant + 1),
    });
    sound.push(...requests.map(({ method, by, message }) => ({ method, message, authorization: callers[by] })));
  }
  sound.push(...publicCalls());
  const often = sound.filter(({ method }) => !rare.has(method.name));
  const byMethod = groupByMethod(often);
  const rareByMethod = groupByMethod(sound.filter(({ method }) => rare.has(method.name)));
  return {
    next(random) {
      const { method, message, authorization } = random.pick(random.pick(random.bool(0.1) ? rareByMethod : byMethod));
      return { method, authorization, message: withNewIds(random, message) };
    },
    authorizations: [
      ...Object.values(callers),
      await authorizationOf(stranger),
      await authorizationOf(liveCourier),
      `Bearer ${world.publishableKey}`,
    ],
  };
}

/** A new request id, so that the request is processed instead of being answered as a repetition. */
function withNewIds(random: Random, message: Message): Message {
  return "requestId" in message ? ({ ...message, requestId: seededUuid(random) } as Message) : message;
}

function seededUuid(random: Random): string {
  const hex = Buffer.from(random.bytes(16)).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/** Health and reflection, which respond to every caller. */
function publicCalls(): ValidCall[] {
  const reflected = [ServerReflectionV1, ServerReflectionV1Alpha].flatMap(({ method: { serverReflectionInfo } }) => [
    call(serverReflectionInfo, { messageRequest: { case: "listServices", value: "" } }),
    call(serverReflectionInfo, { host: "h", messageRequest: { case: "fileByFilename", value: "petak/v1/geo.proto" } }),
    call(serverReflectionInfo, { messageRequest: { case: "fileContainingSymbol", value: AgentService.typeName } }),
    call(serverReflectionInfo, { messageRequest: { case: "allExtensionNumbersOfType", value: "google.protobuf.FieldOptions" } }),
    call(serverReflectionInfo, {
      messageRequest: { case: "fileContainingExtension", value: { containingType: "google.protobuf.FieldOptions", extensionNumber: 1159 } },
    }),
  ]);
  return [
    ...reflected,
    call(Health.method.check, { service: AgentService.typeName }),
    call(Health.method.list, {}),
    call(Health.method.watch, { service: AgentService.typeName }),
  ];
}

function call<Method extends DescMethod>(method: Method, message: MessageInitShape<Method["input"]>): ValidCall {
  const { input } = method as DescMethod;
  return { method, message: create(input, message as MessageInitShape<typeof input>), authorization: undefined };
}

function groupByMethod(calls: readonly ValidCall[]): ValidCall[][] {
  const groups = new Map<DescMethod, ValidCall[]>();
  for (const one of calls) groups.set(one.method, [...(groups.get(one.method) ?? []), one]);
  return [...groups.values()];
}

async function manyOf<T>(count: number, make: () => Promise<T>): Promise<T[]> {
  return await Promise.all(Array.from({ length: count }, make));
}
