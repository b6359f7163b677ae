import type { Command } from "commander";
import type { CommandModule } from "../command.ts";

/** `petak token`: prints a signed request token, for tools that cannot sign. */
export const registerToken: CommandModule = (command, context) => {
  command.action(async (_options: object, running: Command) => {
    const session = context.session(running);
    const { signer } = await session.connect();
    const authorization = await signer.authorization();
    const token = authorization.replace(/^Bearer /, "");
    session.output.json({ token, participantId: signer.participantId, keyId: signer.keyId, expiresAt: expiryOf(token) });
    session.output.print(token);
  });
};

/** The expiry claim of a token. */
function expiryOf(token: string): string {
  const [, claims = ""] = token.split(".");
  const { exp } = JSON.parse(Buffer.from(claims, "base64url").toString("utf8")) as { exp: number };
  return new Date(exp * 1000).toISOString();
}
