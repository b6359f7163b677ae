import { optionsEncoder } from "../features/directory/options-encoder/options-encoder.ts";
import { callerKey } from "../identity/index.ts";
import {
  createManagementServer,
  createOnePortServer,
  createRequestListener,
  type RequestListenerOptions,
  type ServerAddress,
} from "../transport/index.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import type { PlainPages } from "./plain-pages.ts";
import { readTlsFiles } from "./tls-files.ts";
import { type TlsWatch, watchTlsFiles } from "./watch-tls-files.ts";

/** How often the TLS files are read again, in ms. */
const tlsIntervalMs = 10_000;

/** The parts of the public port that a gateway decides. */
export type Served = Pick<
  RequestListenerOptions,
  "accounts" | "routes" | "callers" | "steps" | "checkValidated" | "shutdownSignal" | "tracing"
>;

/** The ports of a gateway, listening. */
export interface OpenPorts {
  readonly address: ServerAddress;
  /** Undefined if there is no management listener. */
  readonly managementAddress: ServerAddress | undefined;
  /** The files of the public port's certificate. Undefined: it is cleartext. */
  readonly tls: TlsWatch | undefined;
  /** Closes the public port: see `OnePortServer.close`. */
  close(graceMs: number): Promise<void>;
}

/**
 * Opens the public port and the management listener. The latter is closed by the stack, thus after the public port: a supervisor sees a stop that takes its time.
 *
 * @throws {ServerStartError} if one of them cannot listen, or the certificate or key cannot be used
 */
export async function openPorts(
  options: GatewayOptions,
  served: Served,
  plain: PlainPages,
  stack: AsyncDisposableStack,
): Promise<OpenPorts> {
  const { logger, metrics, hasUnaryFastPath, hasHttp1FastReader } = options;
  const requestListener = createRequestListener({
    ...served,
    plainRoutes: plain.pages,
    limits: options.callLimits ?? {},
    encoders: [optionsEncoder],
    logger,
    metrics,
    ...(hasUnaryFastPath === undefined ? {} : { hasUnaryFastPath }),
    ...(hasHttp1FastReader === undefined ? {} : { hasHttp1FastReader }),
    describeCaller: (values) => values.get(callerKey)?.participantId,
  });
  const tls = options.tls && (await readTlsFiles(options.tls));
  const server = createOnePortServer({ requestListener, logger, metrics, ...(tls && { tls }), limits: options.serverLimits ?? {} });
  const management = createManagementServer({ routes: plain.management, logger, metrics });
  stack.defer(() => management.close());
  const address = await server.listen({ host: options.host, port: options.port });
  let managementAddress: ServerAddress | undefined;
  try {
    managementAddress = options.management && (await management.listen(options.management));
  } catch (error) {
    await server.close(0);
    throw error;
  }
  if (options.tls === undefined || tls === undefined) {
    metrics.tlsCertificateEnd.remove();
    return { address, managementAddress, tls: undefined, close: server.close };
  }
  const intervalMs = options.tlsIntervalMs ?? tlsIntervalMs;
  const watch = watchTlsFiles({ files: options.tls, used: tls, server, intervalMs, metrics, logger });
  stack.defer(() => watch.stop());
  return { address, managementAddress, tls: watch, close: server.close };
}
