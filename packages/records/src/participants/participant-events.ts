import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { eventSchemaVersion } from "@petak/lifecycle";
import { EventSchema, newEventId, type Region } from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";
import type { EventStream } from "../events/event-stream.ts";

/**
 * The region in whose stream events about participants are recorded, since a participant lies in none. Any cell of resolution 3 does; all participants have the
 * same one, so that a repetition finds the event that was recorded.
 */
export const participantsRegion: Region = "830000";

/** Records events that are about a participant, for its feed. */
export interface ParticipantEvents {
  /**
   * Records an event, unless one with this name was recorded within a week. Resolves with whether it was recorded now.
   *
   * @param content all but its id, the version of its schema and its times
   * @param atMs when it happened and is recorded, in ms since 1970
   */
  append(name: string, content: MessageInitShape<typeof EventSchema>, atMs: number): Promise<boolean>;
}

/** Records events about participants in Redis. */
export function createParticipantEvents(redis: RedisConnection, keys: Keys, events: Pick<EventStream, "appendOnce">): ParticipantEvents {
  return {
    async append(name, content, atMs) {
      const [eventId, at] = [newEventId(participantsRegion), timestampFromMs(atMs)];
      const made = { eventId, schemaVersion: eventSchemaVersion, occurredAt: at, recordedAt: at };
      const event = create(EventSchema, { ...content, ...made });
      // Feeds are built from the regions in this set. A crash in between leaves a region without events.
      await redis.sadd(keys.regions(), participantsRegion);
      return await events.appendOnce(participantsRegion, name, event);
    },
  };
}
