import type { Command } from "commander";
import type { CommandModule } from "../command.ts";
import { usageFailure } from "../failure.ts";
import { deviceIn } from "./enrolled-device.ts";

/** `petak agent certificate`: what `agent run --counter` shows to its tablets. */
export const registerCertificate: CommandModule = (command, context) => {
  command
    .requiredOption("--data-dir <folder>", "the folder of `enrol`")
    .option("--host <hosts...>", "names and addresses by which tablets call it (default: all that this device has)")
    .option("--new-authority", "make another authority too: every tablet must trust it anew", false)
    .action(async ({ dataDir, host, newAuthority }: { dataDir: string; host?: string[]; newAuthority: boolean }, running: Command) => {
      const session = context.session(running);
      const { output, io } = session;
      const { certificatePaths } = await deviceIn(session, running, dataDir);
      const counter = await import("@petak/agent/counter");
      const hosts = host ?? counter.ownHosts();
      const wrong = hosts.find((one) => !/^[A-Za-z0-9.:-]{1,253}$/.test(one));
      if (wrong !== undefined) throw usageFailure(`--host takes names and addresses, not "${wrong}".`);
      const before = newAuthority ? undefined : await counter.readStoreCertificate(certificatePaths);
      const made = counter.makeStoreCertificate(hosts, io.now(), before?.authority);
      await counter.writeStoreCertificate(certificatePaths, made);
      const fingerprint = counter.fingerprintOf(made.authority.cert);
      output.json({ hosts, authority: { fingerprint, isNew: before === undefined, path: certificatePaths.authorityCert } });
      output.print(`The counter's certificate is for ${hosts.join(", ")}. It is good for 397 days; make it anew by the same line.`);
      output.print(`Tablets must trust its authority, ${certificatePaths.authorityCert}, which the counter serves as /ca.crt.`);
      output.print(`Before you trust it on a tablet, compare: ${output.colors.cyan(fingerprint)}`);
    });
};
