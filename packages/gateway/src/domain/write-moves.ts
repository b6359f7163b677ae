import { readFileSync, writeFileSync } from "node:fs";
import { withMovesSection } from "./moves-section.ts";

const page = new URL("../../../../docs/protocol.md", import.meta.url);
writeFileSync(page, withMovesSection(readFileSync(page, "utf8")));
