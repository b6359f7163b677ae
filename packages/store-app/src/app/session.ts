import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { App } from "./app.ts";

/** Signs the chosen clerk in with the digits that were typed. */
export async function signIn(app: App): Promise<void> {
  const { clerkId, pin } = app.view;
  app.setView({ pin: "", signIn: undefined });
  try {
    const { counter, tryAgainAt } = await app.port.signIn(clerkId, pin);
    if (counter === undefined) {
      const lockedUntilMs = tryAgainAt === undefined ? undefined : timestampMs(tryAgainAt);
      app.setView({ signIn: { isWrong: true, lockedUntilMs } });
      return;
    }
    app.setView({ clerkId: "" });
    await app.heard(counter);
  } catch {
    app.setView({ signIn: { isUnreachable: true } });
  }
}

/** Ends the session. What waits is sent under the name of whoever did it, once somebody is signed in again. */
export async function signOut(app: App): Promise<void> {
  try {
    await app.lease.giveUp();
    await app.port.signOut();
    await app.heard(await app.port.getCounter());
  } catch {
    app.lost();
  }
}
