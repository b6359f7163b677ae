import { type RedisConnection, serverOf } from "@petak/redis";
import type { Redis } from "ioredis";

/** What comes of listening. */
export interface ChannelListener {
  /** Something was published. */
  onMessage(channel: string, message: Buffer): void;
  /** What was listened to may be so no longer: a connection was lost, or a slot has moved. */
  onBroken(): void;
}

/** What came of listening: channels that were not listened to a moment ago, those that still are not, and why. */
export interface Listening {
  begun: string[];
  missing: string[];
  failures: unknown[];
}

/** Channels that lie in slots, each named as the key that it tells of. */
export interface SlotChannels {
  /**
   * Sees to it that each channel is listened to at the server that has its slot now. What was published before, or while a connection was lost,
   * went unheard.
   */
  listen(channels: Iterable<string>): Promise<Listening>;
}

/**
 * Listens through the connections to the servers themselves, which answer commands beside it (RESP3). A channel lies in the slot of its key, so
 * that on a cluster only the one master that has the key has to tell of it. What was published before a server answers a command is heard before
 * the answer.
 */
export function createSlotChannels(connection: RedisConnection, { onMessage, onBroken }: ChannelListener): SlotChannels {
  /** The channels that each server was asked for and has confirmed. */
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
    // A slot has gone to another server. Which, the connection does not say; to ask again for those that stayed does no harm.
    server.on("moved", forget);
    server.on("smessageBuffer", (channel: Buffer, message: Buffer) => onMessage(channel.toString(), message));
    return channels;
  }

  return {
    async listen(wanted) {
      const result: Listening = { begun: [], missing: [], failures: [] };
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
