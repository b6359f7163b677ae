import { Act, ProofKind } from "@petak/protocol";
import { createManualTimers } from "@petak/testkit";
import { expect, it } from "vitest";
import { createRefusalTally, firstWindowMs, longestWindowMs, singlesMax } from "./refusal-tally.ts";

const credential = {
  proofKind: ProofKind.ACCESS_TOKEN,
  credentialHash: "",
  act: Act.UNSPECIFIED,
  reservationId: "",
  bundleId: "",
  delegated: false,
};

it("keeps what it counted while the disk or the outbox is full, and reports it when there is room", () => {
  const timers = createManualTimers();
  const disk = { isFull: false };
  let isOutboxFull = false;
  const counts: (number | undefined)[] = [];
  const messages: string[] = [];
  const tally = createRefusalTally({
    store: {
      transaction(work) {
        if (disk.isFull) throw new Error("database or disk is full");
        return work();
      },
    },
    reporter: { refused: (_credential, _refusal, counted) => void counts.push(counted?.count) },
    clock: { nowMs: timers.now, mark: () => undefined },
    isFull: () => isOutboxFull,
    after: timers.after,
    onReport: () => undefined,
    logger: { info: () => undefined, warn: () => undefined, error: (_fields, message) => void messages.push(message) },
  });
  const junk = (times: number) => {
    for (let time = 0; time < times; time += 1) tally.refused(credential, "MALFORMED");
  };
  junk(singlesMax + 3);
  disk.isFull = true;
  timers.advance(firstWindowMs);
  expect(messages).toEqual(["refusals could not be recorded"]);
  disk.isFull = false;
  timers.advance(longestWindowMs);
  const told = [...Array.from({ length: singlesMax }, () => undefined), 3];
  expect(counts).toEqual(told);
  isOutboxFull = true;
  junk(2);
  timers.advance(longestWindowMs);
  tally.flush();
  expect(counts).toEqual(told);
  isOutboxFull = false;
  tally.flush();
  expect(counts).toEqual([...told, 2]);
});
