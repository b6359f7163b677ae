import { type Chain, type Checked, hashOf, newLife } from "./chain-scene.ts";
import { type ChainVector, changed, vector } from "./chains.ts";
import { asOfMs, stated } from "./statement-scene.ts";

const paid = { currencyCode: "SGD", units: "12", nanos: 500_000_000 };
const both: Checked = { checks: ["AGE_CHECK", "ID_CHECK"], cash: paid };

/** A parcel's life at whose end something was checked and paid. */
function collectedAfter(signed: Checked, told = signed, isChained = false): Chain {
  const life = newLife();
  life.held();
  life.confirmed();
  life.deposited();
  life.collected({ checked: { signed, told }, ...(isChained && { previous: { signed: hashOf("the report before") } }) });
  return life.chain();
}

/** The chain with its last event changed. */
function lastChanged(chain: Chain, change: (event: Record<string, unknown>) => void): Chain {
  return changed(({ events }) => change(events.at(-1) as Record<string, unknown>), chain);
}

/** Receipts of collections at which something was checked or paid. */
export const checks: ChainVector[] = [
  vector("checked", "The agent says which checks were done.", collectedAfter({ checks: ["AGE_CHECK"] })),
  vector("paid", "The agent says what was paid.", collectedAfter({ cash: paid })),
  vector("checked-and-paid", "Both, and the report is chained.", collectedAfter(both, both, true)),
  vector(
    "missing-stated",
    "The event names a check that is missing, complete as of the statement.",
    stated(
      lastChanged(collectedAfter({ checks: ["AGE_CHECK"] }), (event) => {
        event.missingChecks = ["PARCEL_REQUIREMENT_ID_CHECK"];
      }),
    ),
    [],
    { as_of_ms: asOfMs },
  ),
  vector("checked-less", "The receipt says that less was checked than the agent signed.", collectedAfter(both, { cash: paid }), [
    ["EVENT_DIFFERS", 3],
    ["REPORT_SIGNATURE", 3],
  ]),
  vector(
    "paid-other",
    "The event says that another amount was paid.",
    lastChanged(collectedAfter(both), (event) => {
      event.cashCollected = { ...paid, nanos: 0 };
    }),
    [["EVENT_DIFFERS", 3]],
  ),
  vector(
    "missing-removed",
    "The event does not name the missing check any more.",
    lastChanged(
      stated(
        lastChanged(collectedAfter({ checks: ["AGE_CHECK"] }), (event) => {
          event.missingChecks = ["PARCEL_REQUIREMENT_ID_CHECK"];
        }),
      ),
      (event) => {
        delete event.missingChecks;
      },
    ),
    [["EVENT_DIFFERS", null]],
    { as_of_ms: asOfMs },
  ),
];
