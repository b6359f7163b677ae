/** The result of a check. */
export interface CheckResult {
  passed: boolean;
  /** The output, shown if it failed or if all output is requested. */
  output: string;
  /** A short remark next to its name, e.g. what was compared with what. */
  note?: string;
}

/** One step of `npm test`. */
export interface Check {
  /** Its name on the command line and in the report. */
  name: string;
  run(): Promise<CheckResult>;
}
