import { type ReceiptClaims, readReceipt } from "@petak/credential";
import type { Receipt } from "@petak/protocol";
import type { Output } from "../terminal/output.ts";

/** Shows the links of a chain in a table, without verifying them. */
export function showLinks(output: Output, receipts: readonly Receipt[]): void {
  if (receipts.length === 0) {
    output.print(output.colors.dim("No receipts yet."));
    return;
  }
  const { cyan } = output.colors;
  output.table(
    [
      { title: "LINK", align: "right" },
      { title: "ACT", paint: cyan },
      { title: "WHEN" },
      { title: "GAVE", flexible: true },
      { title: "RECEIVED", flexible: true },
      { title: "SIGNED BY", flexible: true },
    ],
    receipts.map(({ number, jws }) => {
      const read = readReceipt(jws);
      return typeof read === "string" ? [String(number), "unreadable", "", "", "", ""] : rowOf(read.claims);
    }),
  );
}

function rowOf(claims: ReceiptClaims): string[] {
  const { number, act, occurred_at_ms, given_by, received_by } = claims;
  return [String(number), act, timeText(occurred_at_ms), partyText(given_by), partyText(received_by), signersOf(claims)];
}

function signersOf({ report, countersignature, actor }: ReceiptClaims): string {
  if (countersignature !== null) return `${actor?.participant_id} under link ${countersignature.number}`;
  return report === null ? "gateway" : "gateway, site's agent";
}

function partyText(party: ReceiptClaims["given_by"]): string {
  if (party === null) return "";
  return party.participant_id === "" ? party.kind.toLowerCase() : party.participant_id;
}

function timeText(atMs: number): string {
  const date = new Date(atMs);
  return Number.isNaN(date.getTime()) ? "" : `${date.toISOString().slice(0, 19)}Z`;
}
