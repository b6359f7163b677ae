/** Ensures that there is protoc, the compiler that other projects have: the test of the schema's bundle uses it. */
import { ensureTool } from "./command-line-tool.ts";

await ensureTool({
  command: "protoc",
  packageName: "protobuf-compiler",
  howToInstall:
    "The schema is not compiled by protoc: install it, e.g. with sudo apt-get install protobuf-compiler (Debian) or brew install protobuf.",
});
