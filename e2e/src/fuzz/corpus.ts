import { randomUUID } from "node:crypto";
import { create, type DescMethod, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import { generateKeyPair } from "@petak/client/node";
import { AgentService, Mode } from "@petak/protocol";
import { Health, ServerReflectionV1, ServerReflectionV1Alpha } from "@petak/protocol/grpc";
import type { Random } from "@petak/testkit";
import { type Callers, makeGoodRequests } from "../testing/good-requests.ts";
import {
  addWebhook,
  authorizationOf,
  bundleAlone,
  callersOf,
  correcting,
  countersigning,
  origin,
  parcel,
  type World,
} from "../testing/world.ts";

/** A call that is in order, to be spoilt. */
export interface SoundCall {
  method: DescMethod;
  message: Message;
  /** The Authorization header that it needs; undefined for the services that need none. */
  authorization: string | undefined;
}

/** Sound calls to all that a gateway serves, without end. */
export interface Corpus {
  next(random: Random): SoundCall;
  /** Authorization headers of callers of every kind. */
  authorizations: readonly string[];
}

/** How much work there is in reservations for calls to come at. */
const reservationsOfEach = 40;

/**
 * Calls whose answers grow with what the calls before them have made. They come less often, so that the number of requests does not decide
 * how long each takes.
 */
const seldom = new Set([
  "UpsertSites",
  "RetireSites",
  "ListEvents",
  "WatchEvents",
  "CreateParticipant",
  "ListParticipants",
  "RegisterKey",
  "ListKeys",
  "CreatePublishableKey",
  "CreateEndpoint",
  "ListEndpoints",
  "TestEndpoint",
  "ReplayEvents",
  "Watch",
]);

/** Fills a network with what the calls are about. */
export async function createCorpus(world: World): Promise<Corpus> {
  const { operator, courier, stranger, liveCourier } = world;
  const [held, confirmed, doubtful, retirable, spareKeys] = await Promise.all([
    manyOf(reservationsOfEach, async () => (await world.hold()).reservationId),
    manyOf(reservationsOfEach, async () => (await world.holdAndConfirm()).reservationId),
    manyOf(5, async () => (await world.inDoubt()).reservationId),
    manyOf(5, async () => (await world.addSite()).siteId),
    manyOf(10, async () => {
      const { publicKey } = await generateKeyPair();
      const { key } = await courier.client.participants.registerKey({ requestId: randomUUID(), publicKey, mode: Mode.TEST });
      return key?.keyId ?? "";
    }),
  ]);
  const toCountersign = await countersigning(world);
  const [webhookEndpointId = "", deletableEndpointId = ""] = await manyOf(2, () => addWebhook(courier));
  const callers: Callers = await callersOf(world);
  const sound: SoundCall[] = [];
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
  const often = sound.filter(({ method }) => !seldom.has(method.name));
  const byMethod = groupByMethod(often);
  const rareByMethod = groupByMethod(sound.filter(({ method }) => seldom.has(method.name)));
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

/** Another request than the last: with a request id of its own it is looked at, and not found to be a repetition. */
function withNewIds(random: Random, message: Message): Message {
  return "requestId" in message ? ({ ...message, requestId: seededUuid(random) } as Message) : message;
}

function seededUuid(random: Random): string {
  const hex = Buffer.from(random.bytes(16)).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/** Health and reflection, which answer everybody. */
function publicCalls(): SoundCall[] {
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

function call<Method extends DescMethod>(method: Method, message: MessageInitShape<Method["input"]>): SoundCall {
  const { input } = method as DescMethod;
  return { method, message: create(input, message as MessageInitShape<typeof input>), authorization: undefined };
}

function groupByMethod(calls: readonly SoundCall[]): SoundCall[][] {
  const groups = new Map<DescMethod, SoundCall[]>();
  for (const one of calls) groups.set(one.method, [...(groups.get(one.method) ?? []), one]);
  return [...groups.values()];
}

async function manyOf<T>(count: number, make: () => Promise<T>): Promise<T[]> {
  return await Promise.all(Array.from({ length: count }, make));
}
