import { base64url } from "../signing.ts";
import { type Chain, hashOf, type LinkOptions, newLife } from "./chain-scene.ts";
import { type ChainVector, changed, vector } from "./chains.ts";
import { asOfMs, stated } from "./statement-scene.ts";

const first = base64url(new Uint8Array(32));
const later = hashOf("the report before");

/** A parcel's life whose reports name the ones before them. */
function chained(deposited: LinkOptions["previous"], collected: LinkOptions["previous"] = { signed: later }): Chain {
  const life = newLife();
  life.held();
  life.confirmed();
  life.deposited(deposited && { previous: deposited });
  life.collected(collected && { previous: collected });
  return life.chain();
}

/** Receipts whose reports of the agent are chained. */
export const chainedReports: ChainVector[] = [
  vector("chained", "Both reports name the hash of the report before them.", chained({ signed: first })),
  vector("chained-stated", "The same, complete as of the statement.", stated(chained({ signed: first })), [], { as_of_ms: asOfMs }),
  vector("chained-later", "The agent was updated between deposit and collection, and chains its reports since then.", chained(undefined)),
  vector("other-previous", "The receipt names another report before it than the agent did.", chained({ signed: first, told: later }), [
    ["REPORT_SIGNATURE", 2],
  ]),
  vector(
    "untold-previous",
    "The receipt does not name the report before, and the agent did.",
    chained({ signed: first, told: undefined }),
    [["REPORT_SIGNATURE", 2]],
  ),
  vector(
    "previous-removed",
    "The event does not name the report before any more.",
    changed(
      ({ events }) => {
        const receipt = events[2]?.receipt as { report: Record<string, unknown> } | undefined;
        delete receipt?.report.previousHash;
      },
      chained({ signed: first }),
    ),
    [["EVENT_DIFFERS", 2]],
  ),
];
