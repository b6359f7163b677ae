import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** The line between a tablet and its store's agent. */
export interface TabletLine {
  /** The agent's address for the tablet: the same, whatever happens to the line. */
  readonly origin: string;
  /** Cuts it: nothing arrives any more. */
  cut(): void;
  /** From now on entries arrive, and their answers do not. Resolves when the agent has answered the next of them. */
  holdAnswers(): Promise<void>;
  /** Makes it whole. What was held is lost. */
  mend(): void;
}

/** Opens a line to an agent. It closes with the running test. */
export async function openTabletLine(agentUrl: string): Promise<TabletLine> {
  const agent = new URL(agentUrl);
  let isCut = false;
  let onHeld: (() => void) | undefined;
  const underWay = new Set<ServerResponse>();

  function pass(from: IncomingMessage, to: ServerResponse): void {
    if (isCut) return void from.socket.destroy();
    underWay.add(to);
    to.on("close", () => underWay.delete(to));
    const { method, url: path, headers } = from;
    const isEntry = path?.endsWith("/Submit") === true;
    const call = request({ host: agent.hostname, port: agent.port, method, path, headers }, (answer) => {
      if (isEntry && onHeld !== undefined) {
        answer.resume().on("end", onHeld);
        return;
      }
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(to);
      // A stream's head goes out before there is anything to stream.
      to.flushHeaders();
    });
    call.on("error", () => to.destroy());
    to.on("close", () => call.destroy());
    from.pipe(call);
  }

  function sever(): void {
    for (const one of underWay) one.destroy();
  }

  const server = createServer(pass);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      isCut = true;
      sever();
    },
    holdAnswers() {
      const { promise, resolve } = Promise.withResolvers<void>();
      onHeld = resolve;
      return promise;
    },
    mend() {
      isCut = false;
      onHeld = undefined;
      sever();
    },
  };
}
