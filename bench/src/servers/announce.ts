import type { AddressInfo } from "node:net";

/** Prints a line with a server's port and further facts for its caller, and exits cleanly on request. */
export function announce(facts: { port: number; [fact: string]: unknown }, stop: () => Promise<void> | void): void {
  process.stdout.write(`${JSON.stringify(facts)}\n`);
  process.once("SIGTERM", () => {
    void Promise.resolve(stop()).then(() => process.exit(0));
  });
}

/** The port of a listening server. */
export function portOf(server: { address(): string | AddressInfo | null }): number {
  return (server.address() as AddressInfo).port;
}
