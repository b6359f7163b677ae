/** Ensures that there is zbarimg, a reader of codes that is nobody's of this project: the test of the codes that people scan uses it. */
import { ensureTool } from "./command-line-tool.ts";

await ensureTool({
  command: "zbarimg",
  packageName: "zbar-tools",
  howToInstall: "The codes are not read by zbarimg: install it, e.g. with sudo apt-get install zbar-tools (Debian) or brew install zbar.",
});
