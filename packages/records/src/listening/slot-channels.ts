import { type RedisConnection, serverOf } from "@petak/redis";
import type { Redis } from "ioredis";

/** Receives what happens on the channels. */
export interface ChannelListener {
  /** A message was published on a channel. */
  onMessage(channel: string, message: Buffer): void;
  /** Subscriptions, and with them messages, may have been lost: a connection was closed, or a slot moved to another server. */
  onBroken(): void;
}

/** The result of subscribing: the channels that were newly subscribed, those that could not be, and why. */
export interface Subscribed {
  begun: string[];
  missing: string[];
  failures: unknown[];
}

/** Sharded channels: each has the name of the key whose changes are published on it. */
export interface SlotChannels {
  /**
   * Subscribes to each channel at the server that has its slot now, unless that is done already. Messages that were published before, or while a connection
   * was lost, are not received.
   */
  listen(channels: Iterable<string>): Promise<Subscribed>;
}

/**
 * Subscribes over the connections to the individual servers, which also process commands (RESP3). A channel is in the slot of its key, so on a cluster only the
 * master of that slot publishes. Messages published before a server replies to a command are received before the reply.
 */
export function createSlotChannels(connection: RedisConnection, { onMessage, onBroken }: ChannelListener): SlotChannels {
  /** The channels whose subscription each server has confirmed. */
  const confirmed = new WeakMap<Redis, Set<string>>();

  function confirmedBy(server: Redis): Set<string> {
    const known = confirmed.get(server);
    if (known !== undefined) return known;
    const channels = new Set<string>();
    confirmed.set(server, channels);
    const forget = () => {
      channels.clear();
      onBroken();
    };
    server.on("close", forget);
    // A slot moved to another server. The event does not say which slot; subscribing again to the channels that stayed is harmless.
    server.on("moved", forget);
    server.on("smessageBuffer", (channel: Buffer, message: Buffer) => onMessage(channel.toString(), message));
    return channels;
  }

  return {
    async listen(wanted) {
      const result: Subscribed = { begun: [], missing: [], failures: [] };
      const asking = [...wanted].map(async (channel) => {
        const server = serverOf(connection, channel);
        if (server?.status !== "ready") return void result.missing.push(channel);
        const channels = confirmedBy(server);
        if (channels.has(channel)) return;
        try {
          await server.ssubscribe(channel);
          channels.add(channel);
          result.begun.push(channel);
        } catch (error) {
          result.missing.push(channel);
          result.failures.push(error);
        }
      });
      await Promise.all(asking);
      return result;
    },
  };
}
