import { randomBytes } from "node:crypto";
import { Agent, request } from "node:http";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { pathOf } from "../wire/call.ts";
import { bodyOf, callEncodingOf } from "../wire/protocols.ts";
import { proofOf } from "../wire/prove.ts";
import { hostileAddress, type Weapon } from "./hostile-participant.ts";

/** How much of each kind a hostile participant does at once. */
export interface AttackSize {
  /** Valid calls in progress, over HTTP/2. */
  calls: number;
  /** HTTP/1.1 connections, each of which sends bad requests of all kinds in turn. */
  connections: number;
  /** Connections that send only the preface of HTTP/2, and as many that send a part of a body. */
  silent: number;
}

/** What a hostile participant got for its requests. */
export interface Spoils {
  /** Calls that were answered as they should be. */
  accepted: number;
  /** Calls and connections that were refused, delayed to their end, or closed. */
  refused: number;
  /** Requests whose forged signature the gateway could be made to verify. */
  forged: number;
  /** Valid calls with a proof that the hostile participant signed itself. */
  proven: number;
}

/** An attack in progress. */
export interface Attack {
  /** Ends it and closes all its connections. */
  stop(): Promise<Spoils>;
}

/** Whom a forged token names. */
export interface Victim {
  readonly participantId: string;
  readonly keyId: string;
}

const port = (baseUrl: string): number => Number(new URL(baseUrl).port);

/** Attacks methods of a gateway, until it is stopped. */
export function attack(baseUrl: string, weapons: readonly Weapon[], victim: Victim, size: AttackSize): Attack {
  const spoils: Spoils = { accepted: 0, refused: 0, forged: 0, proven: 0 };
  const leaving = new AbortController();
  const inTurn = (index: number): Weapon => weapons[index % weapons.length] as Weapon;
  const bad = Array.from({ length: size.connections }, (_, index) =>
    sendBadRequests(baseUrl, inTurn(index), victim, index, spoils, leaving.signal),
  );
  const work = [
    ...bad,
    ...weapons.map((weapon) => floodWithCalls(baseUrl, weapon, Math.ceil(size.calls / weapons.length), spoils, leaving.signal)),
  ];
  const silent = Array.from({ length: size.silent }, (_, index) => [
    openPreface(port(baseUrl)),
    openEndless(port(baseUrl), inTurn(index)),
  ]).flat();
  return {
    async stop() {
      leaving.abort();
      for (const socket of silent) socket.destroy();
      await Promise.all(work);
      return spoils;
    },
  };
}

function hostileSocket(to: number): Socket {
  const socket = connect({ port: to, host: "127.0.0.1", localAddress: hostileAddress });
  socket.on("error", () => {});
  return socket;
}

function openPreface(to: number): Socket {
  const socket = hostileSocket(to);
  socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
  return socket;
}

function openEndless(to: number, { method, authorization }: Weapon): Socket {
  const socket = hostileSocket(to);
  const { contentType } = callEncodingOf("connect", method.methodKind !== "unary");
  const head = [`POST ${pathOf(method)} HTTP/1.1`, "Host: a", `Authorization: ${authorization}`, `Content-Type: ${contentType}`];
  socket.write(`${[...head, "Content-Length: 100000"].join("\r\n")}\r\n\r\nx`);
  return socket;
}

/** Keeps valid calls in progress over HTTP/2, each of which is followed by another one. A stream is left when it has sent something. */
async function floodWithCalls(baseUrl: string, weapon: Weapon, calls: number, spoils: Spoils, signal: AbortSignal): Promise<void> {
  const { method, authorization } = weapon;
  const encoding = callEncodingOf("grpc", method.methodKind !== "unary");
  let session: ClientHttp2Session | undefined;

  function open(): ClientHttp2Session {
    if (session === undefined || session.closed || session.destroyed) {
      session = connectHttp2(baseUrl, { createConnection: () => hostileSocket(port(baseUrl)) });
      session.on("error", () => {});
    }
    return session;
  }

  async function callOnce(): Promise<void> {
    const message = weapon.fresh();
    const proof = await proofOf({ authorization, path: pathOf(method), message, isJson: false });
    if (Object.keys(proof).length > 0) spoils.proven += 1;
    const fields = { authorization, ...proof, "content-type": encoding.contentType, te: "trailers" };
    await new Promise<void>((resolve) => {
      const headers = { ":method": "POST", ":path": pathOf(method), ...fields };
      const stream = open().request(headers);
      stream.on("trailers", (trailers) => {
        if (trailers["grpc-status"] === "0") spoils.accepted += 1;
        else spoils.refused += 1;
      });
      stream.on("response", (fields) => {
        if (fields["grpc-status"] !== undefined) spoils.refused += 1;
      });
      stream.on("data", () => {
        if (method.methodKind !== "unary") stream.close();
      });
      stream.on("error", () => {});
      stream.on("close", () => resolve());
      stream.end(bodyOf(encoding, message));
    });
  }

  signal.addEventListener("abort", () => session?.destroy());
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await callOnce();
      } catch {
        // The session was closed between its check and the request.
      }
      // Whoever is shut out keeps knocking, but leaves this process time for its neighbours.
      if (session?.destroyed === true) await pause(10);
    }
  };
  await Promise.all(Array.from({ length: calls }, loop));
}

const garbageTokens = ["nonsense", "a.b.c", `pk_test_${"0".repeat(24)}`, "x".repeat(8000), `${"e30".repeat(50)}.e30.${"A".repeat(86)}`];

/** Sends requests over one HTTP/1.1 connection that a gateway must refuse. */
async function sendBadRequests(
  baseUrl: string,
  weapon: Weapon,
  victim: Victim,
  first: number,
  spoils: Spoils,
  signal: AbortSignal,
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, localAddress: hostileAddress });
  const encoding = callEncodingOf("connect", weapon.method.methodKind !== "unary");
  const post = (authorization: string, body: Uint8Array, proof: { dpop?: string } = {}) =>
    new Promise<void>((resolve) => {
      const headers = { authorization, ...proof, "content-type": encoding.contentType, "content-length": body.byteLength };
      const sent = request(`${baseUrl}${pathOf(weapon.method)}`, { method: "POST", agent, headers, signal }, (response) => {
        response.resume();
        response.on("error", () => {});
        response.on("close", resolve);
      });
      sent.on("error", () => resolve());
      sent.on("close", resolve);
      sent.end(body);
    });
  const kinds = [
    () => post(weapon.authorization, bodyOf(encoding, Buffer.alloc(60, 0xff))),
    () => post(`Bearer ${garbageTokens[first % garbageTokens.length]}`, bodyOf(encoding, weapon.fresh())),
    () => {
      spoils.forged += 1;
      return post(`Bearer ${forgedToken(victim)}`, bodyOf(encoding, weapon.fresh()));
    },
    () => post(weapon.authorization, bodyOf(encoding, Buffer.alloc(1024 * 1024 + 1))),
    async () => {
      const message = weapon.fresh();
      const { authorization, method } = weapon;
      const { dpop } = await proofOf({ authorization, path: pathOf(method), message, isJson: false });
      if (dpop === undefined) return;
      spoils.forged += 1;
      await post(authorization, bodyOf(encoding, message), { dpop: dpop.replace(/[^.]*$/, randomBytes(64).toString("base64url")) });
    },
  ];
  for (let turn = first; !signal.aborted; turn += 1) {
    await kinds[turn % kinds.length]?.();
    spoils.refused += 1;
  }
  agent.destroy();
}

/** A token of somebody else's key in the right form, with a signature of nobody. No two are the same, so none is in a cache. */
function forgedToken({ participantId, keyId }: Victim): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: participantId, aud: "petak-test", iat: now, exp: now + 300, jti: randomBytes(8).toString("hex") };
  const signed = `${part({ alg: "EdDSA", typ: "petak-request+jwt", kid: keyId })}.${part(claims)}`;
  return `${signed}.${randomBytes(64).toString("base64url")}`;
}
