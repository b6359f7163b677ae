/** What a check found. */
export interface CheckResult {
  passed: boolean;
  /** What there is to read: shown when it failed, or when everything is to be shown. */
  output: string;
  /** A few words beside its name, e.g. what was compared with what. */
  note?: string;
}

/** One step of `npm test`. */
export interface Check {
  /** What it is called on the command line and in the report. */
  name: string;
  run(): Promise<CheckResult>;
}
