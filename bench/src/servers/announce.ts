import type { AddressInfo } from "node:net";

/** Says where a server listens and whatever else its caller must know, and ends the process in good order when asked to. */
export function announce(facts: { port: number; [fact: string]: unknown }, stop: () => Promise<void> | void): void {
  process.stdout.write(`${JSON.stringify(facts)}\n`);
  process.once("SIGTERM", () => {
    void Promise.resolve(stop()).then(() => process.exit(0));
  });
}

/** The port of a server that listens. */
export function portOf(server: { address(): string | AddressInfo | null }): number {
  return (server.address() as AddressInfo).port;
}
