import type { Socket } from "node:net";
import type { Metrics } from "../../observability/metrics.ts";
import { mayTake } from "../limits/fair-share.ts";
import { Peer } from "../limits/peer.ts";
import type { ServerLimits } from "../limits/server-limits.ts";

/** Why the guard closes a connection. */
export type CloseReason = "full" | "no_call" | "idle" | "health_only";

/** Options of {@link createConnectionGuard}. */
export interface ConnectionGuardOptions {
  limits: Pick<ServerLimits, "maxConnections" | "maxConnectionsPerAddress" | "healthConnections" | "firstCallTimeoutMs" | "trustedProxies">;
  metrics: Pick<Metrics, "connectionsClosed"> | undefined;
}

/** Shares the connections of a port among addresses. */
export interface ConnectionGuard {
  /** Takes a new connection, which it may close at once or later. Returns its peer. */
  take(socket: Socket): Peer;
}

interface Guarded {
  readonly socket: Socket;
  readonly peer: Peer;
  /** The tick at which it became idle. */
  idleSince: number;
}

/** How long a connection that may only make health checks may send nothing, in ms. */
const healthSilenceMaxMs = 2000;

/** How many of the oldest connections are looked at to find an idle one. */
const searchedMax = 256;

/**
 * Creates the guard of a port.
 *
 * An address may have as many connections as are left free, so that no address can fill the port. Idle connections give way to new ones when the
 * port is full: first those whose caller is not known, and of these the oldest. What finds no room gets one of a few further places and may make health checks
 * only; there the oldest gives way at once, so that somebody who fills these too cannot keep them from a supervisor.
 *
 * A trusted proxy has connections for many clients, so it counts towards all connections but is not limited as one address.
 */
export function createConnectionGuard({ limits, metrics }: ConnectionGuardOptions): ConnectionGuard {
  const { maxConnections, maxConnectionsPerAddress, firstCallTimeoutMs, trustedProxies } = limits;
  const healthMax = Math.min(limits.healthConnections, Math.floor(maxConnections / 4));
  const share = { total: maxConnections, guaranteed: 1, max: maxConnectionsPerAddress };
  const byAddress = new Map<string, number>();
  /** Connections in the order of their opening. */
  const unknown = new Set<Guarded>();
  const known = new Set<Guarded>();
  const forHealth = new Set<Guarded>();
  const tickMs = Math.max(10, Math.min(1000, firstCallTimeoutMs / 4));
  let ticks = 0;
  let clock: NodeJS.Timeout | undefined;

  function close({ socket }: Guarded, reason: CloseReason): void {
    metrics?.connectionsClosed.inc({ reason });
    socket.destroy();
  }

  function tick(): void {
    ticks += 1;
    for (const one of unknown) {
      if (one.peer.isKnown) moveToKnown(one);
      else if (isIdleFor(one, firstCallTimeoutMs) && one.peer.proxies === undefined) close(one, "no_call");
    }
    for (const one of forHealth) if (isIdleFor(one, Math.min(healthSilenceMaxMs, firstCallTimeoutMs))) close(one, "health_only");
    if (unknown.size + known.size + forHealth.size > 0) return;
    clearInterval(clock);
    clock = undefined;
  }

  /** Nothing tells the guard of the first call, which happens once for thousands of others. */
  function moveToKnown(one: Guarded): void {
    unknown.delete(one);
    known.add(one);
  }

  function isIdleFor({ peer, idleSince }: Guarded, ms: number): boolean {
    // The first tick may come at once.
    return peer.requests === 0 && (ticks - idleSince - 1) * tickMs >= ms;
  }

  /** Closes the connection of a set that has been open longest and is idle. Returns whether there was one. */
  function evict(from: Set<Guarded>): boolean {
    let searched = 0;
    for (const one of from) {
      if (one.peer.isKnown && from === unknown) {
        moveToKnown(one);
        continue;
      }
      from.delete(one);
      if (one.peer.requests === 0) {
        close(one, "idle");
        return true;
      }
      // Busy ones are looked at last next time.
      from.add(one);
      searched += 1;
      if (searched >= searchedMax) return false;
    }
    return false;
  }

  function hasRoom(peer: Peer): boolean {
    const own = peer.proxies === undefined ? (byAddress.get(peer.account) ?? 0) : 0;
    const all = unknown.size + known.size;
    if (mayTake({ own, elsewhere: 0, all }, share)) return true;
    // An address that has its share does not make others give way.
    return all >= maxConnections && own < maxConnectionsPerAddress && own * 2 < maxConnections && (evict(unknown) || evict(known));
  }

  function count(account: string, by: number): void {
    const left = (byAddress.get(account) ?? 0) + by;
    if (left === 0) byAddress.delete(account);
    else byAddress.set(account, left);
  }

  return {
    take(socket) {
      const peer = new Peer(socket.remoteAddress, trustedProxies);
      const guarded: Guarded = { socket, peer, idleSince: ticks };
      peer.onIdle = () => {
        guarded.idleSince = ticks;
      };
      clock ??= setInterval(tick, tickMs).unref();
      if (hasRoom(peer)) {
        unknown.add(guarded);
        count(peer.account, 1);
        socket.once("close", () => {
          unknown.delete(guarded);
          known.delete(guarded);
          count(peer.account, -1);
        });
        return peer;
      }
      peer.isForHealth = true;
      forHealth.add(guarded);
      socket.once("close", () => forHealth.delete(guarded));
      const [oldest] = forHealth;
      if (forHealth.size > healthMax && oldest !== undefined) {
        forHealth.delete(oldest);
        close(oldest, "full");
      }
      return peer;
    },
  };
}
