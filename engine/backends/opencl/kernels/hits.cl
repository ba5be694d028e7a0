// LOSS[lane] = 1 where the largest value (the first of equals) stands in the label's row, else 0.
// With one row: a value above THRESHOLD means label 1.
//
// Pointers: Y (ROWS x LANES), LABELS (int), LOSS (LANES). One work-item computes VW lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    vf best = LOAD(Y + lane);
#if ROWS == 1
    const vi guess = select((vi)(0), (vi)(1), best > (vf)(THRESHOLD));
#else
    vi guess = (vi)(0);
    for (int r = 1; r < ROWS; r++) {
        const vf y = LOAD(Y + r * LANES + lane);
        const vi wins = !(y <= best) & (best == best);
        best = select(best, y, wins);
        guess = select(guess, (vi)(r), wins);
    }
#endif
    STORE(select((vf)(0.0f), (vf)(1.0f), guess == LOAD_INT(LABELS + lane)), LOSS + lane);
}
