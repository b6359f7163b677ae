import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { parseReservationId } from "@petak/protocol";
import { createKeys } from "@petak/redis";
import { fillDisk, freeDisk } from "@petak/testkit";
import { expect } from "vitest";
import type { NightWorld } from "./night-world.ts";

const execute = promisify(execFile);
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const soon = { interval: 100, timeout: 120_000 };

/** What happens in the night. */
export interface Incident {
  readonly alert: string;
  /** Brings it about. Returns the remedy, or what of it precedes the command of the section. */
  readonly begin: (world: NightWorld) => Promise<() => Promise<void>>;
  /** What the check of its section prints then. */
  readonly shows: RegExp;
  /** Whether the command of its section is run as printed too. */
  readonly runsCommand?: boolean;
  /** Whose log and metrics are looked at. Default: the gateway with workers. */
  readonly at?: "main" | "narrow" | "secure";
}

/** Repeats work until the returned function is called, with a short rest, for what goes on for as long as nobody sees to it. */
function goOn(work: () => Promise<unknown> | unknown, restMs = 100): () => Promise<void> {
  const stopping = new AbortController();
  const ended = (async () => {
    while (!stopping.signal.aborted) {
      await work();
      await pause(restMs);
    }
  })();
  return async () => {
    stopping.abort();
    await ended;
  };
}

/** Sends a call of a courier's, or with whatever else is given. Resolves when it is answered or refused. */
function call(url: string, authorization: string, localAddress: string): Promise<void> {
  return new Promise((resolve) => {
    const headers = { authorization, "content-type": "application/json" };
    const sent = request(`${url}/petak.v1.CustodyService/ListEvents`, { method: "POST", headers, localAddress, agent: false }, (response) =>
      response.resume(),
    );
    sent.on("error", () => undefined).on("close", resolve);
    sent.end("{}");
  });
}

/** Begins a call whose body does not end, so that it stays in progress. */
function beginCall(url: string, authorization: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).on("error", () => undefined);
  // A refusal.
  socket.once("data", () => socket.destroy());
  const head = ["POST /petak.v1.CustodyService/ListEvents HTTP/1.1", "Host: a", `Authorization: ${authorization}`];
  socket.write(`${[...head, "Content-Type: application/json", "Content-Length: 100"].join("\r\n")}\r\n\r\n{`);
  return socket;
}

/** Keeps calls in progress, begun anew when one is refused. */
function keepCalls(url: string, tokens: readonly string[]): () => Promise<void> {
  const sockets = new Map<number, Socket>();
  const stop = goOn(() => {
    for (const [place, token] of tokens.entries()) if (sockets.get(place)?.closed !== false) sockets.set(place, beginCall(url, token));
  });
  return async () => {
    await stop();
    for (const socket of sockets.values()) socket.destroy();
  };
}

/** Two couriers keep all four places of the narrow gateway, and a third one goes on calling. */
async function crowd({ narrow, couriers }: NightWorld): Promise<() => Promise<void>> {
  const [one = "", two = "", three = ""] = await Promise.all(couriers.map(({ signer }) => signer.authorization()));
  for (const token of [one, two, three]) await call(narrow.url, token, "127.0.0.1");
  const leave = keepCalls(narrow.url, [one, one, two, two]);
  const stop = goOn(() => call(narrow.url, three, "127.0.0.1"));
  return async () => {
    await Promise.all([leave(), stop()]);
  };
}

/** Sets the memory limit so that this part of it is used. */
async function fill({ tool }: NightWorld, part: number): Promise<void> {
  const used = Number(/^used_memory:(\d+)/m.exec(await tool.info("memory"))?.[1]);
  await tool.config("SET", "maxmemory", Math.round(used / part));
}

const roomy = async ({ tool }: NightWorld) => void (await tool.config("SET", "maxmemory", "2gb"));

/** All of the remedy is the command of the section. */
const asPrinted = async () => undefined;

const served = ({ main }: NightWorld) => main.lines().filter(({ msg }) => msg === "a worker serves");

/** Makes the certificate of the secure gateway, as `certbot renew` would. */
export async function certify({ cert, key }: { cert: string; key: string }, days: number): Promise<void> {
  const subject = ["-subj", "/CN=localhost", "-days", `${days}`, "-keyout", `${key}.new`, "-out", `${cert}.new`];
  await execute("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", ...subject]);
  await rename(`${key}.new`, key);
  await rename(`${cert}.new`, cert);
}

/** What can happen side by side, one group after the other. */
export const incidents: readonly (readonly Incident[])[] = [
  [
    { alert: "StoreHasNoLimit", begin: async () => asPrinted, shows: /^maxmemory\n0$/m, runsCommand: true },
    {
      alert: "TlsCertificateEnds",
      at: "secure",
      begin:
        async ({ certificate }) =>
        () =>
          certify(certificate, 90),
      shows: /notAfter=/,
    },
    {
      alert: "WebhooksFail",
      begin: async ({ receiver }) => {
        return async () => {
          receiver.status = 204;
        };
      },
      shows: /petak_webhook_attempts_total\{outcome="server_error"\} [1-9]/,
    },
    { alert: "CallsTurnedAway", at: "narrow", begin: crowd, shows: /petak_rpc_shed_total\{kind="unary"\} [1-9]/ },
    {
      alert: "CallerAtItsShare",
      async begin({ main, couriers }) {
        const token = (await couriers[1]?.signer.authorization()) ?? "";
        return keepCalls(main.url, Array<string>(16).fill(token));
      },
      shows: /\d+ "method":"petak.v1.CustodyService\/ListEvents"/,
    },
    {
      alert: "CredentialsGuessed",
      async begin({ main, couriers }) {
        const token = (await couriers[3]?.signer.authorization()) ?? "";
        const guess = token.replace(/\.(.)([^.]*)$/, (_, first, rest) => `.${first === "A" ? "B" : "A"}${rest}`);
        return goOn(() => Promise.all([1, 2, 3, 4].map(() => call(main.url, guess, "127.0.0.9"))));
      },
      shows: /\d+ "reason":"TOKEN_SIGNATURE_WRONG"/,
    },
    {
      alert: "ConnectionsFull",
      at: "secure",
      async begin({ secure }) {
        const { port } = new URL(secure.url);
        const sockets = new Set<Socket>();
        const stop = goOn(() => {
          const socket = connect(Number(port), "127.0.0.1").on("error", () => undefined);
          sockets.add(socket.on("close", () => sockets.delete(socket)));
        });
        return async () => {
          await stop();
          for (const socket of sockets) socket.destroy();
        };
      },
      shows: /petak_connections_closed_total\{reason="full"\} [1-9]/,
    },
    {
      alert: "Defects",
      async begin({ courierClient, siteId, tool, network }) {
        const place = { case: "siteId", value: siteId } as const;
        const { reservation } = await courierClient.reservations.reserve({ requestId: randomUUID(), place, parcel });
        const reservationId = reservation?.reservationId ?? "";
        const { region = "", handle = "" } = parseReservationId(reservationId) ?? {};
        const key = createKeys(network.shared.keyPrefix).reservation(region, handle);
        await tool.set(key, "x");
        await courierClient.reservations.getReservation({ reservationId }).catch(() => undefined);
        return async () => void (await tool.del(key));
      },
      shows: /"msg":"defect"/,
    },
    {
      alert: "ArchiveFails",
      async begin({ archiveDir }) {
        await rename(archiveDir, `${archiveDir}-away`);
        await writeFile(archiveDir, "");
        return async () => {
          await rm(archiveDir);
          await rename(`${archiveDir}-away`, archiveDir);
        };
      },
      shows: /archiving failed/,
    },
  ],
  [
    // Not while there is no archive, without which none begins.
    {
      alert: "WorkersDie",
      begin: async (world) => {
        const killed = new Set<number>();
        return goOn(() => {
          for (const { pid = 0 } of served(world)) {
            if (!killed.has(pid)) process.kill(pid, "SIGKILL");
            killed.add(pid);
          }
        });
      },
      shows: /a worker ended and is replaced.*petak_worker_deaths_total [3-9]/s,
    },
    {
      alert: "StoreFullInFourDays",
      async begin(world) {
        for (const part of [0.45, 0.55, 0.65]) {
          await fill(world, part);
          await expect.poll(() => world.prometheus.query(`max(petak_store_fill_ratio) > ${part - 0.05}`), soon).toHaveLength(1);
        }
        return asPrinted;
      },
      runsCommand: true,
      shows: /petak_store_fill_ratio 0\.\d/,
    },
  ],
  [
    {
      alert: "WorkersMissing",
      begin: async (world) => {
        await expect.poll(() => world.prometheus.query("petak_workers == petak_workers_wanted"), soon).toHaveLength(1);
        const { pid = 0 } = served(world).at(-1) ?? {};
        process.kill(pid, "SIGSTOP");
        return async () => void process.kill(pid, "SIGKILL");
      },
      shows: /a worker does not answer.*petak_workers 1$/ms,
    },
  ],
  [
    {
      alert: "StoreFills",
      begin: async (world) => {
        await fill(world, 0.77);
        return asPrinted;
      },
      runsCommand: true,
      shows: /petak_store_fill_ratio 0\.7/,
    },
  ],
  [
    {
      alert: "StoreRefusesGrowth",
      begin: async (world) => {
        await fill(world, 0.93);
        return asPrinted;
      },
      runsCommand: true,
      shows: /"growth":"refused"/,
    },
  ],
  [
    {
      alert: "StoreRejectsWrites",
      begin: async ({ server }) => {
        await fillDisk(server, 0);
        return () => freeDisk(server);
      },
      shows: /petak_redis_rejects_writes\{reason="disk"\} 1.*aof_last_write_status:err/s,
    },
  ],
  [
    {
      alert: "StoreUnreachable",
      begin: async (world) => {
        await world.server.kill9();
        // Nobody at a door notices.
        expect(await world.terminal.agent.present({ token: world.token })).toMatchObject({ opened: true });
        return async () => {
          await world.server.restart();
          await expect
            .poll(
              () =>
                roomy(world).then(
                  () => true,
                  () => false,
                ),
              soon,
            )
            .toBe(true);
        };
      },
      shows: /Redis is unreachable: nothing listens at its address/,
    },
  ],
  [
    {
      alert: "GatewayDown",
      begin: async ({ main }) => {
        main.petak.kill();
        return () => main.start();
      },
      shows: /Failed to connect|Couldn't connect/,
    },
  ],
  [
    {
      alert: "GatewaysMissing",
      begin: async ({ prometheus, main, narrow, secure }) => {
        await prometheus.writeTargets([]);
        await fetch(`http://${prometheus.address}/-/reload`, { method: "POST" });
        return async () => {
          await prometheus.writeTargets([main, narrow, secure].map(({ management }) => new URL(management).host));
        };
      },
      shows: /# HELP/,
      runsCommand: true,
    },
  ],
];

/** The alerts that do not happen here, and why. */
export const notHere: Readonly<Record<string, string>> = {
  GatewayRestarts: "three starts of a gateway take longer than a minute on a busy machine",
  CallsSlow: "a Redis that is slow for all of a range delays all other incidents",
  FilesNearlyExhausted: "the limit of a process is read once, at its start, and too low a one keeps it from starting",
  EventLoopBlocked: "the delays are those of the last minute, so that it takes as long to be over",
  DeadlinesNotApplied: "its expression waits for two minutes",
  StoreConnectionsBreak: "the connections of a Redis that responds have to break twenty times",
  ArchiveLags: "what has ended must have waited for a day",
  IssuerCertificatesEnd: "the certificates of an operator's root key are valid for longer",
};
