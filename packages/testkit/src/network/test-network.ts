import { join } from "node:path";
import { createSimulatedTerminal, type SimulatedTerminal, type SimulatedTerminalOptions } from "@petak/agent/simulation";
import { generateKeyPair } from "@petak/client/node";
import {
  type AdminIdentity,
  createLogger,
  createMetrics,
  type Gateway,
  type GatewayOptions,
  type Logger,
  parseNetworks,
  startGateway,
} from "@petak/gateway";
import { newKeyId, newParticipantId } from "@petak/protocol";
import type { RedisAddress } from "@petak/redis";
import { createTempDir } from "../temp-dir.ts";
import { startTestServer } from "../test-server.ts";
import { gatewayDefaults } from "./gateway-defaults.ts";
import type { GatewayProcessOptions } from "./gateway-process/gateway-messages.ts";
import { type GatewayProcess, startGatewayProcess } from "./gateway-process/start-gateway-process.ts";
import { createUnseenIssuer } from "./issue-unseen.ts";
import { createTestParticipants, type TestKey, type TestParticipant, type TestParticipants } from "./test-participants.ts";

/** The store of a network. */
export interface NetworkStore {
  /** Default: a private server, which stops with the network. Accepts the result of `useRedis()`. */
  redis?: { readonly address: RedisAddress; readonly keyPrefix?: string };
  /** Key prefix. Default: the running test's prefix followed by `petak`. */
  keyPrefix?: string;
}

/** Options of a network whose gateway runs in this process, including all of the gateway's. */
export interface TestNetworkOptions extends NetworkStore, Partial<Omit<GatewayOptions, "redis" | "keyPrefix" | "audience" | "admin">> {
  /** Whether the test expects errors in the gateway's log. Default false: they are printed, since each is a defect. */
  expectsErrors?: boolean;
}

/** Options of a network whose gateway runs in its own process. */
export interface ProcessNetworkOptions extends NetworkStore, Omit<GatewayProcessOptions, "redis" | "keyPrefix" | "dataDir" | "admin"> {
  ownProcess: true;
}

/** Options of a network's terminal: those of the terminal, except those that the network sets. */
export type NetworkTerminalOptions = Pick<SimulatedTerminalOptions, "cabinet"> &
  Partial<Omit<SimulatedTerminalOptions, "siteId" | "cabinet">>;

/** A gateway on a free port, with an administrator and the participants that a test adds. */
interface AnyNetwork extends TestParticipants {
  /** The port of the gateway. */
  readonly port: number;
  /** What its gateways share: store and data directory. Sufficient to start another one. */
  readonly shared: { readonly redis: RedisAddress; readonly keyPrefix: string; readonly dataDir: string };
  /**
   * Installs and starts a terminal at a site, with the network's clock. Stops with the network at the latest.
   *
   * @param operator the operator of the site, who registers the agent's key
   */
  openTerminal(operator: TestParticipant, siteId: string, options: NetworkTerminalOptions): Promise<SimulatedTerminal>;
  /** Stops everything and deletes its files. */
  stop(): Promise<void>;
}

/** A line of a gateway's log. */
export interface LogLine {
  /** pino's: 30 is info, 40 warn, 50 error. */
  level: number;
  msg: string;
  reason?: string;
  err?: { message: string; stack: string };
  [member: string]: unknown;
}

/** A network whose gateway runs in this process. */
export interface TestNetwork extends AnyNetwork {
  readonly gateway: Gateway;
  /** Lines of the gateway's log, as JSON. */
  readonly lines: string[];
  /** {@link lines}, parsed. */
  log(): LogLine[];
  /** Number of calls in progress at the gateway. */
  inFlight(): Promise<{ unary: number; stream: number }>;
}

/** A network whose gateway runs in its own process. */
export interface ProcessNetwork extends AnyNetwork {
  readonly gateway: GatewayProcess;
}

/** Starts a network with one gateway, in this process or in its own. */
export function startTestNetwork(options: ProcessNetworkOptions): Promise<ProcessNetwork>;
export function startTestNetwork(options?: TestNetworkOptions): Promise<TestNetwork>;
export async function startTestNetwork(options: TestNetworkOptions | ProcessNetworkOptions = {}): Promise<TestNetwork | ProcessNetwork> {
  const foundation = await prepare(options);
  try {
    if ("ownProcess" in options) {
      const { ownProcess: _ownProcess, redis: _redis, keyPrefix: _keyPrefix, ...settings } = options;
      const publicKey = Buffer.from(foundation.admin.publicKey).toString("base64url");
      const gateway = await startGatewayProcess({ ...settings, ...foundation.shared, admin: { ...foundation.admin, publicKey } });
      return Object.assign(populate(foundation, gateway.port, gateway.stop), { gateway });
    }
    const {
      redis: _redis,
      keyPrefix: _keyPrefix,
      expectsErrors = false,
      metrics = createMetrics({ processMetrics: false }),
      ...settings
    } = options;
    const log = keepLog(!expectsErrors);
    const gateway = await startGateway({
      ...gatewayDefaults,
      sweepIntervalMs: 100,
      agentSyncIntervalMs: 200,
      // Webhook receivers of tests are on this machine, without TLS.
      webhooks: { allowedNetworks: parseNetworks("127.0.0.0/8") ?? [], allowHttp: true },
      logger: log.logger,
      metrics,
      ...settings,
      ...foundation.shared,
      admin: foundation.admin,
    });
    const network = populate(foundation, gateway.address.port, () => gateway.stop(), settings.now);
    return Object.assign(network, {
      gateway,
      lines: log.lines,
      log: () => log.lines.map((line) => JSON.parse(line) as LogLine),
      async inFlight() {
        const { values } = await metrics.rpcInFlight.get();
        const of = (wanted: string) => values.find(({ labels }) => labels.kind === wanted)?.value ?? 0;
        return { unary: of("unary"), stream: of("stream") };
      },
    });
  } catch (error) {
    await foundation.remove();
    throw error;
  }
}

/** Prerequisites of a network's gateway. */
interface Foundation {
  shared: AnyNetwork["shared"];
  /** Directory of the terminals' databases. */
  terminalsDir: string;
  admin: AdminIdentity;
  adminKey: TestKey;
  /** Removes server and files of the network. */
  remove(): Promise<void>;
}

async function prepare({ redis, keyPrefix, dataDir }: NetworkStore & { dataDir?: string }): Promise<Foundation> {
  const directory = await createTempDir();
  const server = redis === undefined ? await startTestServer() : undefined;
  const address = redis?.address ?? { socketPath: server?.options.path ?? "" };
  const { privateJwk, publicKey } = await generateKeyPair();
  const admin = { participantId: newParticipantId(), keyId: newKeyId("live"), publicKey };
  const { participantId, keyId } = admin;
  return {
    shared: {
      redis: address,
      keyPrefix: keyPrefix ?? `${redis?.keyPrefix ?? ""}petak`,
      dataDir: dataDir ?? join(directory.path, "data"),
    },
    terminalsDir: directory.path,
    admin,
    adminKey: { participantId, keyId, privateJwk, audience: gatewayDefaults.audience },
    async remove() {
      await server?.stop();
      await directory.remove();
    },
  };
}

/** Adds participants and terminals to a running gateway. */
function populate(foundation: Foundation, port: number, stopGateway: () => Promise<void>, now?: () => number): AnyNetwork {
  const unseen = createUnseenIssuer(foundation.shared, now ?? Date.now);
  const participants = createTestParticipants(`http://127.0.0.1:${port}`, foundation.adminKey, unseen, now);
  const terminals: SimulatedTerminal[] = [];
  return {
    ...participants,
    port,
    shared: foundation.shared,
    async openTerminal(operator, siteId, options) {
      const { client = participants.clientFor(await participants.agentSigner(operator, siteId)).agents } = options;
      const storePath = join(foundation.terminalsDir, `terminal-${terminals.length}.db`);
      const terminal = createSimulatedTerminal({ storePath, refusalMs: 0, ...(now && { now }), ...options, client, siteId });
      terminals.push(terminal);
      await terminal.start();
      return terminal;
    },
    async stop() {
      for (const terminal of terminals) await terminal.stop();
      participants.closeClients();
      await unseen.close();
      await stopGateway();
      await foundation.remove();
    },
  };
}

/** The level of pino's error lines. */
const errorLevel = 50;

/** A logger that keeps its lines. @param showsErrors whether errors are also printed */
function keepLog(showsErrors: boolean): { lines: string[]; logger: Logger } {
  const lines: string[] = [];
  const write = (line: string) => {
    lines.push(line);
    if (showsErrors && (JSON.parse(line) as LogLine).level >= errorLevel) process.stderr.write(line);
  };
  return { lines, logger: createLogger({ level: "info", destination: { write } }) };
}
