#!/usr/bin/env node
/** `petak`: plain JavaScript for any Node, which runs `src/main.ts` with the project's Node. */
import { runMain } from "./run-main.mjs";

runMain(process.argv.slice(2));
