/** When an act is due. */
export interface Moment {
  /** By the trace: ms since its start. */
  readonly planMs: number;
  /** By this machine's monotonic clock: ms since the run began. On a driven clock, when it was begun. */
  readonly dueMs: number;
}

/** Something that a person does, and later things that follow from it. */
export type Act = (moment: Moment) => Promise<void>;

/** What runs the acts. */
export interface Schedule {
  /**
   * Runs an act when it is due, or soon if that has passed.
   *
   * @param lane acts with the same lane run one after the other, in the order in which they are due
   */
  at(planMs: number, act: Act, lane?: string): void;
  /** Runs an act when some time of the trace has passed from now on. */
  after(ms: number, act: Act): void;
  /** When an answer has come: the time from which the next act is counted. @param moment of the act that asked */
  answeredAt(moment: Moment): number;
  /** A pause of a person in front of a screen as a time of the trace: it is real, however fast the trace is played. */
  pauseMs(ms: number): number;
  /** A time of the trace as it passes for the network. */
  networkMs(planMs: number): number;
}
