/**
 * A courier's complete integration over gRPC: from the search for a place to the event that the parcel was collected.
 *
 *     npx node examples/courier-typescript/courier.ts --gateway http://127.0.0.1:8420 --key .petak/keys/courier.json
 *
 * It prints every step as a line of JSON. The exit code is 0 if the parcel was collected, otherwise 1. With --sandbox it walks through the sites of the
 * gateway's sandbox instead, without hardware.
 */
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import {
  create,
  type DescEnum,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { anyUnpack, durationFromMs, durationMs, type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import {
  Act,
  CustodyService,
  DirectoryService,
  EventTypeSchema,
  ReservationService,
  ReservationState,
  ReservationStateSchema,
  ReserveRequestSchema,
  SiteKind,
} from "@petak/protocol";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema, StatusSchema } from "@petak/protocol/google-rpc";
import { importJWK, type JWK, SignJWT } from "jose";
import { walkSandbox } from "./sandbox.ts";

/** The file that `petak keys make` writes. */
interface KeyFile {
  participant_id: string;
  key_id: string;
  audience: string;
  private_jwk: JWK;
}

/** Returns request tokens. Each is valid for five minutes and used for four; a gateway accepts none with a lifetime over ten. */
async function createRequestTokens(key: KeyFile): Promise<() => Promise<string>> {
  const privateKey = await importJWK(key.private_jwk, "EdDSA");
  let token = "";
  let renewAtMs = 0;
  return async () => {
    const nowMs = Date.now();
    if (nowMs < renewAtMs) return token;
    const issuedAt = Math.floor(nowMs / 1000);
    token = await new SignJWT({ iss: key.participant_id, aud: key.audience, iat: issuedAt, exp: issuedAt + 300 })
      .setProtectedHeader({ alg: "EdDSA", typ: "petak-request+jwt", kid: key.key_id })
      .sign(privateKey);
    renewAtMs = nowMs + 240_000;
    return token;
  };
}

/** A refusal by the gateway. */
class GatewayError extends Error {
  override readonly name = "GatewayError";
  /** A constant of docs/errors.md, for programs. Empty if no gateway responded. */
  readonly reason: string;
  /** The invalid fields, if that is the reason. */
  readonly fields: readonly string[];
  /** The delay, in ms, after which the same request may be sent again. Undefined if it would be refused again. */
  readonly retryAfterMs: number | undefined;

  constructor(error: ServiceError) {
    const [bytes] = error.metadata.get("grpc-status-details-bin");
    const details = bytes instanceof Buffer ? fromBinary(StatusSchema, bytes).details : [];
    const find = <Desc extends DescMessage>(schema: Desc) =>
      details.map((detail) => anyUnpack(detail, schema)).find((detail) => detail !== undefined);
    const info = find(ErrorInfoSchema);
    const reason = info?.domain === "petak.v1" ? info.reason : "";
    super(`${reason} (${status[error.code]}): ${error.details}`.trimStart(), { cause: error });
    this.reason = reason;
    this.fields = find(BadRequestSchema)?.fieldViolations.map(({ field }) => field) ?? [];
    // With these codes nobody knows whether the change was made. Its request_id makes it safe to send it again.
    const isOpen = [status.UNAVAILABLE, status.ABORTED, status.DEADLINE_EXCEEDED].includes(error.code);
    const retryDelay = find(RetryInfoSchema)?.retryDelay;
    this.retryAfterMs = retryDelay !== undefined ? durationMs(retryDelay) : isOpen ? 0 : undefined;
  }
}

/** How long a call is repeated after its first failure, in ms: longer than a gateway takes to start again on a slow machine. */
const patienceMs = 60_000;

/** The longest delay between attempts, in ms, apart from what the gateway asks for. */
const maxBackoffMs = 5_000;

/** The longest delay before a retry, in ms. If the gateway asks for more (NO_PLACE_FREE: a minute), the caller should decide. */
const maxRetryDelayMs = 5_000;

/** Longer than any call takes. The wait of a long poll is added. */
const callTimeoutMs = 10_000;

/**
 * After a failure a channel waits before it resolves the address again (30 s by default) and before it connects (up to two minutes), and calls fail meanwhile.
 * Pings find a connection whose other end has gone without a word.
 */
const channelOptions = {
  "grpc.initial_reconnect_backoff_ms": 500,
  "grpc.max_reconnect_backoff_ms": 2_000,
  "grpc.dns_min_time_between_resolutions_ms": 500,
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 10_000,
};

/** Files in PEM: the authorities of the gateway's certificate, and the certificate that it wants of its clients. Default: the system's authorities, and none. */
interface TlsFiles {
  ca: string | undefined;
  cert: string | undefined;
  key: string | undefined;
}

async function readCredentials({ ca, cert, key }: TlsFiles) {
  const read = async (path: string | undefined) => (path === undefined ? null : await readFile(path));
  return credentials.createSsl(await read(ca), await read(key), await read(cert));
}

/** Calls a gateway. */
async function createGateway(address: string, requestToken: () => Promise<string>, tls: TlsFiles) {
  const { protocol, hostname, port } = new URL(address);
  const isTls = protocol === "https:";
  const target = `${hostname}:${port || (isTls ? 443 : 80)}`;
  const client = new Client(target, isTls ? await readCredentials(tls) : credentials.createInsecure(), channelOptions);

  async function callOnce<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageShape<I>,
    timeoutMs: number,
  ): Promise<MessageShape<O>> {
    const metadata = new Metadata();
    metadata.set("authorization", `Bearer ${await requestToken()}`);
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        `/${method.parent.typeName}/${method.name}`,
        (message: MessageShape<I>) => Buffer.from(toBinary(method.input, message)),
        (bytes) => fromBinary(method.output, bytes),
        request,
        metadata,
        { deadline: Date.now() + timeoutMs },
        (error, response) => (response === undefined ? reject(new GatewayError(error as ServiceError)) : resolve(response)),
      );
    });
  }

  /** Calls a method, and repeats the same request, with the same request_id, if that is safe. */
  async function call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    init: MessageInitShape<I>,
    timeoutMs = callTimeoutMs,
  ): Promise<MessageShape<O>> {
    const request = create(method.input, init);
    let giveUpAtMs: number | undefined;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await callOnce(method, request, timeoutMs);
      } catch (error) {
        const delayMs = error instanceof GatewayError ? error.retryAfterMs : undefined;
        giveUpAtMs ??= Date.now() + patienceMs;
        if (delayMs === undefined || delayMs > maxRetryDelayMs || Date.now() > giveUpAtMs) throw error;
        // Randomized, so that couriers that failed together do not retry together.
        await sleep(delayMs + Math.min(200 * 2 ** attempt, maxBackoffMs) * (0.5 + Math.random() / 2));
      }
    }
  }

  return { call, close: () => client.close() };
}

type Gateway = Awaited<ReturnType<typeof createGateway>>;

function print(step: string, facts: object): void {
  process.stdout.write(`${JSON.stringify({ step, ...facts })}\n`);
}

function isoTime(time: Timestamp | undefined): string {
  return time === undefined ? "" : timestampDate(time).toISOString();
}

function nameOf(schema: DescEnum, value: number): string {
  return schema.value[value]?.name ?? String(value);
}

/** Brings one parcel to the place nearest to its recipient and waits until it is collected. */
async function deliver(call: Gateway["call"], origin: { latitude: number; longitude: number }): Promise<void> {
  const parcel = { widthMm: 300, heightMm: 200, depthMm: 150, massG: 1200 };
  const nearest = { origin, radiusM: 20_000, kinds: [SiteKind.PARCEL_TERMINAL] };

  const { options } = await call(DirectoryService.method.findNearest, { ...nearest, parcel });
  print("options found", {
    options: options.map(({ site, distanceM, freeToPromise }) => ({ siteId: site?.siteId, name: site?.name, distanceM, freeToPromise })),
  });

  // Start with the next event. A courier does this once, and from then on stores the cursor with its parcels.
  const { nextCursor } = await call(CustodyService.method.listEvents, { fromNow: true });

  // Store this before sending it: repeated after a crash, it returns the same place instead of reserving a second one.
  const request = create(ReserveRequestSchema, {
    requestId: randomUUID(),
    place: { case: "nearest", value: nearest },
    parcel,
    partnerReference: "parcel-4711",
  });
  print("reserving", { requestId: request.requestId });
  const { reservation, site } = await call(ReservationService.method.reserve, request);
  const { reservationId = "", siteId, operatorId, holdExpiresAt } = reservation ?? {};
  print("place held", { reservationId, siteId, operatorId, name: site?.name, holdExpiresAt: isoTime(holdExpiresAt) });

  const confirmed = await call(ReservationService.method.confirm, { requestId: randomUUID(), reservationId });
  print("confirmed", { reservationId, depositUntil: isoTime(confirmed.reservation?.depositUntil) });

  // For the driver's app, which shows it as a QR code to the terminal's scanner.
  const deposit = await call(ReservationService.method.issueCredential, { requestId: randomUUID(), reservationId, act: Act.DEPOSIT });
  print("credential issued", { act: "DEPOSIT", accessToken: deposit.accessToken, expiresAt: isoTime(deposit.expiresAt) });

  // For the recipient, who shows the token or types the PIN.
  const forCollection = { requestId: randomUUID(), reservationId, act: Act.COLLECT, withPin: true };
  const { accessToken, pin, expiresAt } = await call(ReservationService.method.issueCredential, forCollection);
  print("credential issued", { act: "COLLECT", accessToken, pin, expiresAt: isoTime(expiresAt) });

  await untilCollected(call, reservationId, nextCursor);
}

/** States from which a parcel can still be collected. */
const statesOnTheWay: readonly ReservationState[] = [ReservationState.HELD, ReservationState.CONFIRMED, ReservationState.DEPOSITED];

/** Follows the events of a reservation until its end. Throws unless the parcel was collected. */
async function untilCollected(call: Gateway["call"], reservationId: string, from: string): Promise<void> {
  let cursor = from;
  let state: ReservationState = ReservationState.CONFIRMED;
  const waitMs = 20_000;
  while (statesOnTheWay.includes(state)) {
    const page = await call(CustodyService.method.listEvents, { cursor, wait: durationFromMs(waitMs) }, callTimeoutMs + waitMs);
    for (const event of page.events.filter((one) => one.reservationId === reservationId)) {
      state = event.stateAfter;
      const type = nameOf(EventTypeSchema, event.type);
      const said = { type, state: nameOf(ReservationStateSchema, state), occurredAt: isoTime(event.occurredAt), eventId: event.eventId };
      // Which of the courier's calls, or of the terminal's, it came of, where that was traced.
      print("event", event.traceparent === "" ? said : { ...said, traceparent: event.traceparent });
    }
    cursor = page.nextCursor;
  }
  if (state !== ReservationState.COLLECTED) {
    throw new Error(`reservation ${reservationId} ended as ${nameOf(ReservationStateSchema, state)}`);
  }
  print("collected", { reservationId });
}

/** gRPC does not tell apart why a connection over TLS does not come about. */
const tlsHint =
  "If the gateway wants a certificate of its clients, give --tls-client-cert and --tls-client-key; name the authority of its own in --tls-ca.";

const { values } = parseArgs({
  options: {
    gateway: { type: "string", default: process.env.PETAK_URL ?? "http://127.0.0.1:8420" },
    key: { type: "string", default: process.env.PETAK_KEY ?? ".petak/keys/courier.json" },
    "tls-ca": { type: "string", default: process.env.PETAK_TLS_CA },
    "tls-client-cert": { type: "string", default: process.env.PETAK_TLS_CLIENT_CERT },
    "tls-client-key": { type: "string", default: process.env.PETAK_TLS_CLIENT_KEY },
    /** The position of the recipient, in degrees. */
    origin: { type: "string", default: "1.3521,103.8198" },
    /** Walks through the sites of the gateway's sandbox instead. */
    sandbox: { type: "boolean", default: false },
  },
});
const [latitude = 0, longitude = 0] = values.origin.split(",").map(Number);
const key = JSON.parse(await readFile(values.key, "utf8")) as KeyFile;
const tls = { ca: values["tls-ca"], cert: values["tls-client-cert"], key: values["tls-client-key"] };
const gateway = await createGateway(values.gateway, await createRequestTokens(key), tls);
try {
  if (values.sandbox) await walkSandbox(gateway.call, print);
  else await deliver(gateway.call, { latitude, longitude });
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  if (error instanceof GatewayError && error.fields.length > 0) process.stderr.write(`Wrong fields: ${error.fields.join(", ")}\n`);
  if (error instanceof GatewayError && error.reason === "" && values.gateway.startsWith("https:")) process.stderr.write(`${tlsHint}\n`);
  process.exitCode = 1;
} finally {
  gateway.close();
}
