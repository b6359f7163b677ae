import { createManualTimers, createRandom, roundsHere, testSeed } from "@petak/testkit";
import { expect, it } from "vitest";
import { startAgentGateway } from "./agent-gateway.ts";
import { diskAfterPowerCut, startSite, type TestSite } from "./site.ts";

const dayMs = 86_400_000;

/** docs/credentials.md has this number, and `lock-out.test.ts` reckons it. */
const triesADayMax = 199;

/** A guesser who sets the device's clock, cuts the power and the link, and tries PINs. */
async function guesserAt() {
  const timers = createManualTimers(Date.UTC(2026, 10, 24));
  let setAheadMs = 0;
  const now = () => timers.now() + setAheadMs;
  const gateway = await startAgentGateway(timers.now);
  const start = (storePath?: string) => startSite({ timers, gateway, agent: { now }, ...(storePath !== undefined && { storePath }) });
  let site: TestSite = await start();
  let tries = 0;
  return {
    timers,
    tries: () => tries,
    async guess(): Promise<boolean> {
      const shown = await site.agent.present({ pin: "00000000" });
      if (shown.opened || shown.refusal === "PINS_LOCKED") return false;
      tries += 1;
      return true;
    },
    setClock(aheadMs: number) {
      setAheadMs = aheadMs;
    },
    async restart(cutsPower: boolean) {
      const path = cutsPower ? await diskAfterPowerCut(site) : site.storePath;
      await site.stop();
      site = await start(path);
    },
    cutLink(isUp: boolean) {
      gateway.isUp = isUp;
    },
    sync: () => site.agent.syncNow().catch(() => undefined),
  };
}

it("a guesser who moves the clock ahead and restarts the device after each try gets no more tries than who waits", async () => {
  const guesser = await guesserAt();
  guesser.cutLink(false);
  const restarts = roundsHere({ short: 20, ci: 400 });
  for (let restart = 0; restart < restarts; restart += 1) {
    while (await guesser.guess());
    guesser.setClock((restart + 1) * dayMs * (restart % 3 === 0 ? -1 : 1));
    while (await guesser.guess());
    await guesser.restart(restart % 2 === 0);
  }
  // No time has passed but that of the tries: those that are free, and the one that locks.
  expect(guesser.tries()).toBe(5);
});

const plans = roundsHere({ short: 1, ci: 20 });

it(`a guesser gets at most ${triesADayMax} tries a day, whatever happens to clock, power and link`, {
  timeout: (plans + 1) * 60_000,
}, async () => {
  const random = createRandom(testSeed());
  for (let plan = 0; plan < plans; plan += 1) {
    const guesser = await guesserAt();
    const endMs = guesser.timers.now() + dayMs;
    const patientMs = random.pick([30_000, 900_000, 3_600_000]);
    while (guesser.timers.now() < endMs) {
      while (await guesser.guess());
      guesser.timers.advance(Math.min(random.pick([1000, 30_000, 450_000, 900_000, patientMs]), endMs - guesser.timers.now()));
      if (random.bool(0.3)) guesser.setClock(random.int(-400, 400) * dayMs + random.int(0, dayMs));
      if (random.bool(0.2)) guesser.cutLink(random.bool());
      if (random.bool(0.2)) await guesser.sync();
      if (random.bool(0.1)) await guesser.restart(random.bool());
    }
    expect(guesser.tries()).toBeGreaterThan(20);
    expect(guesser.tries()).toBeLessThanOrEqual(triesADayMax);
  }
});
