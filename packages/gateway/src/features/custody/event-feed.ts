import type { ParticipantFeeds } from "@petak/records";
import type { CallerShares } from "../../identity/caller-shares.ts";
import type { ParticipantCaller } from "../../identity/index.ts";
import type { FeedReader } from "../feed/feed-reader.ts";
import type { EventView } from "./event-view.ts";

/** How a call reads the caller's feed and waits for what comes. */
export interface EventFeedDependencies {
  reader: FeedReader;
  feeds: Pick<ParticipantFeeds, "subscribe">;
  view: EventView;
  /** How many calls of a participant may wait at once. */
  shares: CallerShares;
  now: () => number;
  /** Aborts when the gateway begins to stop. */
  stopping: AbortSignal;
  /** Throws if the caller's key has been revoked since the call began: a call that waits outlives many a key. */
  stillValid: (caller: ParticipantCaller) => Promise<void>;
}
