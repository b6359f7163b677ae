import { ConnectError } from "@connectrpc/connect";
import { fromConnectError, LiveReservations } from "@petak/protocol";
import { InvalidArgumentError, Option } from "commander";
import { CliFailure } from "../failure.ts";

const choices: Readonly<Record<string, LiveReservations>> = {
  refuse: LiveReservations.REFUSE,
  drain: LiveReservations.DRAIN,
  cancel: LiveReservations.CANCEL,
};

/** The option that says what happens to the live reservations of sites that are retired or move far. */
export function liveOption(): Option {
  return new Option(
    `--live <${Object.keys(choices).join("|")}>`,
    "what happens to live reservations of sites that are retired or move by more than 100 m: refuse the change, keep them until they end, or cancel those without a parcel inside",
  )
    .argParser((text) => {
      const live = choices[text.trim().toLowerCase()];
      if (live === undefined) throw new InvalidArgumentError(`write ${Object.keys(choices).join(", ")}.`);
      return live;
    })
    .default(LiveReservations.REFUSE, "refuse");
}

/** Makes the call, and names the option where the gateway asks what happens to live reservations. */
export async function hintingLive<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const known = error instanceof ConnectError ? fromConnectError(error) : undefined;
    if (known?.reason !== "SITE_IN_USE") throw error;
    const { reason, message, metadata } = known;
    throw new CliFailure(`${message}: --live drain, or --live cancel`, { reason, metadata, cause: error });
  }
}
