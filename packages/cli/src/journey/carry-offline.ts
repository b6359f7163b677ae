import { Act } from "@petak/protocol";
import { CliFailure } from "../failure.ts";
import type { AgentProgram } from "./agent-program.ts";
import type { ShownAs, Step } from "./step.ts";
import { cutLink, restoreLink, type WithDeviceOptions, withDevice } from "./with-device.ts";

/** The credentials of a parcel that is carried through a device. */
export interface CarryOptions extends WithDeviceOptions {
  depositToken: string;
  /** How the recipient collects: by the PIN or the token. */
  collectBy: { by: ShownAs; code: string };
}

/**
 * A parcel's way through a terminal without a link: a device is enrolled by a code, its program runs in another process, and its link is cut from before the
 * deposit until after the collection. Then its reports are delivered. Removes the device at the end.
 */
export async function carryOffline(options: CarryOptions): Promise<void> {
  const { siteId, depositToken, collectBy, onStep } = options;
  await withDevice({ ...options, doors: ["--simulated"] }, async (program) => {
    const { doors } = await program.until("ready");
    onStep({ step: "program ready", siteId, doors });
    await cutLink(program, onStep);
    await visit(program, { act: "deposit", by: "access token", code: depositToken, onStep });
    await visit(program, { act: "collect", ...collectBy, onStep });
    await restoreLink(program, options);
  });
}

/** Shows the program a code. The door is used and closed when this resolves. */
async function visit(
  program: AgentProgram,
  { act, by, code, onStep }: { act: "deposit" | "collect"; by: ShownAs; code: string; onStep: (step: Step) => void },
): Promise<void> {
  program.type(`code ${code}`);
  const shown = await program.until("decision");
  if (!shown.opened) throw new CliFailure(`The terminal refused the ${by} (${shown.refusal}).`, { reason: "door-refused" });
  const { opened, compartmentId, doorsToCome } = shown;
  const presentation = { opened, compartmentId, doorsToCome, act: act === "deposit" ? Act.DEPOSIT : Act.COLLECT };
  onStep({ step: "door opened", act, by, presentation });
  while ((await program.until("door")).door !== "CLOSED");
}
