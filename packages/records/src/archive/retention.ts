/**
 * The shortest retention, in ms: as long as answers are remembered for repetitions. A reservation that left earlier could be made a second time by the
 * repetition of its own request.
 */
export const retentionMinMs = 25 * 3_600_000;
