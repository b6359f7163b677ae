#!/usr/bin/env node
/** `petak`, whatever Node calls it: plain JavaScript that hands over to `src/main.ts` under the Node that the project is written for. */
import { runMain } from "./run-main.mjs";

runMain(process.argv.slice(2));
