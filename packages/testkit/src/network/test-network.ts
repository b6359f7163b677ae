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
import { createTestParticipants, type TestKey, type TestParticipant, type TestParticipants } from "./test-participants.ts";

/** Where a network's records are. */
export interface NetworkStore {
  /** Default: a private server, which stops with the network. A test's shared server or cluster is one as it stands. */
  redis?: { readonly address: RedisAddress; readonly keyPrefix?: string };
  /** What its keys begin with. Default: the prefix that the store gives to the running test, and `petak`. */
  keyPrefix?: string;
}

/** Options of a network whose gateway runs in this process: any of the gateway's. */
export interface TestNetworkOptions extends NetworkStore, Partial<Omit<GatewayOptions, "redis" | "keyPrefix" | "audience" | "admin">> {
  /** Whether errors in the gateway's log are part of the test. Default false: they are shown, since each is a defect. */
  expectsErrors?: boolean;
}

/** Options of a network whose gateway runs in a process of its own. */
export interface ProcessNetworkOptions extends NetworkStore, Omit<GatewayProcessOptions, "redis" | "keyPrefix" | "dataDir" | "admin"> {
  ownProcess: true;
}

/** Options of a terminal of a network: those of the terminal, except for what the network knows. */
export type NetworkTerminalOptions = Pick<SimulatedTerminalOptions, "cabinet"> &
  Partial<Omit<SimulatedTerminalOptions, "siteId" | "cabinet">>;

/** A gateway on a free port with an administrator, and the participants that a test lets join. */
interface AnyNetwork extends TestParticipants {
  /** The port of the gateway. */
  readonly port: number;
  /** What its gateways share: where the records are, and the folder with the secrets. Enough to start another one. */
  readonly shared: { readonly redis: RedisAddress; readonly keyPrefix: string; readonly dataDir: string };
  /**
   * Puts a terminal at a site and starts it, by the network's clock. It stops with the network, or before.
   *
   * @param operator the operator of the site, who registers the agent's key
   */
  openTerminal(operator: TestParticipant, siteId: string, options: NetworkTerminalOptions): Promise<SimulatedTerminal>;
  /** Stops everything, and removes what the network made. */
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
  /** The gateway's log, a line of JSON each. */
  readonly lines: string[];
  /** The same as {@link lines}, read. */
  log(): LogLine[];
  /** How many calls the gateway has in hand. */
  inFlight(): Promise<{ unary: number; stream: number }>;
}

/** A network whose gateway runs in a process of its own. */
export interface ProcessNetwork extends AnyNetwork {
  readonly gateway: GatewayProcess;
}

/** Starts a network with one gateway, in this process or in one of its own. */
export function startTestNetwork(options: ProcessNetworkOptions): Promise<ProcessNetwork>;
export function startTestNetwork(options?: TestNetworkOptions): Promise<TestNetwork>;
export async function startTestNetwork(options: TestNetworkOptions | ProcessNetworkOptions = {}): Promise<TestNetwork | ProcessNetwork> {
  const ground = await prepare(options);
  try {
    if ("ownProcess" in options) {
      const { ownProcess: _ownProcess, redis: _redis, keyPrefix: _keyPrefix, ...settings } = options;
      const publicKey = Buffer.from(ground.admin.publicKey).toString("base64url");
      const gateway = await startGatewayProcess({ ...settings, ...ground.shared, admin: { ...ground.admin, publicKey } });
      return Object.assign(populate(ground, gateway.port, gateway.stop), { gateway });
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
      // The receivers of webhooks in tests are on this machine, in the clear.
      webhooks: { allowedNetworks: parseNetworks("127.0.0.0/8") ?? [], allowHttp: true },
      logger: log.logger,
      metrics,
      ...settings,
      ...ground.shared,
      admin: ground.admin,
    });
    const network = populate(ground, gateway.address.port, () => gateway.stop(), settings.now);
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
    await ground.remove();
    throw error;
  }
}

/** What a gateway of a network stands on. */
interface Ground {
  shared: AnyNetwork["shared"];
  /** Where the databases of its terminals are. */
  terminalsDir: string;
  admin: AdminIdentity;
  adminKey: TestKey;
  /** Removes what was made for the network. */
  remove(): Promise<void>;
}

async function prepare({ redis, keyPrefix, dataDir }: NetworkStore & { dataDir?: string }): Promise<Ground> {
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

/** Adds participants and terminals to a gateway that runs. */
function populate(ground: Ground, port: number, stopGateway: () => Promise<void>, now?: () => number): AnyNetwork {
  const participants = createTestParticipants(`http://127.0.0.1:${port}`, ground.adminKey, now);
  const terminals: SimulatedTerminal[] = [];
  return {
    ...participants,
    port,
    shared: ground.shared,
    async openTerminal(operator, siteId, options) {
      const { client = participants.clientFor(await participants.agentSigner(operator, siteId)).agents } = options;
      const storePath = join(ground.terminalsDir, `terminal-${terminals.length}.db`);
      const terminal = createSimulatedTerminal({ storePath, refusalMs: 0, ...(now && { now }), ...options, client, siteId });
      terminals.push(terminal);
      await terminal.start();
      return terminal;
    },
    async stop() {
      for (const terminal of terminals) await terminal.stop();
      participants.closeClients();
      await stopGateway();
      await ground.remove();
    },
  };
}

/** The level of pino's error lines. */
const errorLevel = 50;

/** A logger that keeps its lines. @param showsErrors whether those of errors go to the screen as well */
function keepLog(showsErrors: boolean): { lines: string[]; logger: Logger } {
  const lines: string[] = [];
  const write = (line: string) => {
    lines.push(line);
    if (showsErrors && (JSON.parse(line) as LogLine).level >= errorLevel) process.stderr.write(line);
  };
  return { lines, logger: createLogger({ level: "info", destination: { write } }) };
}
