/**
 * Ensures that there are the programs that are nobody's of this project and that single tests of `ci` use, by installing Debian's if that is permitted. Never fails:
 * without one, its test is skipped and says why.
 */
import { findPackageManager } from "./package-managers.ts";
import { withProgress } from "./progress.mjs";
import { run } from "./run.mjs";

interface Tool {
  readonly packageName: string;
  /** A command that succeeds where it is there. */
  readonly probe: readonly [program: string, ...args: string[]];
  /** What is not tested without it, and the way on. */
  readonly without: string;
}

const tools: readonly Tool[] = [
  {
    packageName: "zbar-tools",
    probe: ["zbarimg", "--version"],
    without: "The codes are not read by zbarimg: install it, e.g. with sudo apt-get install zbar-tools (Debian) or brew install zbar.",
  },
  {
    packageName: "php-cli",
    probe: ["php", "-r", 'exit((int) !extension_loaded("sodium"));'],
    without: "The example in PHP is not run: install PHP, e.g. with sudo apt-get install php-cli (Debian) or brew install php.",
  },
  {
    packageName: "zsh",
    probe: ["zsh", "--version"],
    without: "The completion for zsh is not tested: install it, e.g. with sudo apt-get install zsh (Debian) or brew install zsh.",
  },
  {
    packageName: "openssl",
    probe: ["openssl", "version"],
    without:
      "Clients with certificates are not tested: install openssl, e.g. with sudo apt-get install openssl (Debian) or brew install openssl.",
  },
  {
    packageName: "protobuf-compiler",
    probe: ["protoc", "--version"],
    without:
      "The schema is not compiled by protoc: install it, e.g. with sudo apt-get install protobuf-compiler (Debian) or brew install protobuf.",
  },
  {
    // It has the tool and no service.
    packageName: "promtool",
    probe: ["promtool", "--version"],
    without:
      "The alert rules are not checked by promtool: install it, e.g. with sudo apt-get install promtool (Debian; prometheus before Debian 13) or brew install prometheus.",
  },
  {
    // Where there is systemd its service begins too, on port 9090. The tests start their own.
    packageName: "prometheus",
    probe: ["prometheus", "--version"],
    without:
      "The alert rules do not fire in a running Prometheus: install it, e.g. with sudo apt-get install prometheus (Debian) or brew install prometheus.",
  },
];

for (const { packageName, probe, without } of tools) {
  const [program, ...args] = probe;
  const isThere = async () => (await run(program, args)).code === 0;
  if (await isThere()) continue;
  const { name = "", installLibraries } = (await findPackageManager()) ?? {};
  const { output } =
    installLibraries === undefined
      ? { output: "" }
      : await withProgress(`Installing ${packageName} with ${name}`, () => installLibraries([packageName]));
  if (!(await isThere())) process.stderr.write(`${output === "" ? "" : `${output}\n`}${without}\n`);
}
