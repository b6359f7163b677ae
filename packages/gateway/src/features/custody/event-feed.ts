import type { ParticipantFeeds } from "@petak/records";
import type { CallerShares } from "../../identity/caller-shares.ts";
import type { ParticipantCaller } from "../../identity/index.ts";
import type { FeedReader } from "../feed/feed-reader.ts";
import type { EventView } from "./event-view.ts";

/** Dependencies of the calls that read the caller's feed and wait for new events. */
export interface EventFeedDependencies {
  reader: FeedReader;
  feeds: Pick<ParticipantFeeds, "subscribe">;
  view: EventView;
  /** Limits each participant's concurrent waiting calls. */
  shares: CallerShares;
  now: () => number;
  /** Aborts when the gateway begins to stop. */
  stopping: AbortSignal;
  /** Rejects if the caller's key was revoked during the call, which may last longer than the key. */
  stillValid: (caller: ParticipantCaller) => Promise<void> | undefined;
}
