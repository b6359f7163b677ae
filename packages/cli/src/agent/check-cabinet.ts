import type { Device } from "@petak/agent/device";
import { asSentence, CliFailure } from "../failure.ts";
import type { Session } from "../session.ts";

/** Checks a cabinet driver, result by result. Throws a failure if something is wrong with it. */
export async function checkCabinet(
  session: Session,
  path: string,
  { device, open }: { device: Device | undefined; open: readonly string[] },
): Promise<void> {
  const { CabinetError, checkDriver, loadDriver, siteIn } = await import("@petak/agent/device");
  const { output } = session;
  const { green, red } = output.colors;
  const site = device === undefined ? undefined : siteIn(device.storePath);
  if (device !== undefined && site === undefined) output.note("The device has not reached its gateway yet: compartments are not compared.");
  const driver = await loadDriver(session.resolve(path)).catch((error: unknown) => {
    if (!(error instanceof CabinetError)) throw error;
    throw new CliFailure(asSentence(error.message), { reason: "cabinet", cause: error });
  });
  let failed = 0;
  const onOpen = (compartmentId: string) => output.note(`${compartmentId} is open: close it.`);
  for await (const { what, problem } of checkDriver(driver, { site, open, onOpen })) {
    if (problem !== undefined) failed++;
    output.jsonLine({ what, passed: problem === undefined, ...(problem !== undefined && { problem }) });
    output.print(problem === undefined ? `${green("✓")} ${what}` : `${red("✗")} ${what}: ${problem}`);
  }
  if (failed > 0) {
    throw new CliFailure(`The driver is not ready for an agent: ${failed} of its checks failed.`, { reason: "cabinet" });
  }
}
