// OUT = W, row by row made shorter where the norm of the row is above a limit; locked cells stay.
//
// A row is one unit: COUNT numbers. The free cells are multiplied by sqrt(max(limit² - locked, 0) / free), with
// the sums of squares of both, where these are above limit². Cells in order, with fma.
// Nothing changes where WAITS.
// Pointers: W (rows x COUNT), LOCK if HAS_LOCK, OUT, controls. One work-item per row.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int from = id0 * COUNT;
    const float limit = CONTROL(LIMIT);
    const float most = limit * limit;
    float squares = 0.0f;
    float locked = 0.0f;
    IN_ORDER
    for (int i = from; i < from + COUNT; i++) {
#if HAS_LOCK
        if (LOCK[i] != 0.0f) {
            locked = fma(W[i], W[i], locked);
            continue;
        }
#endif
        squares = fma(W[i], W[i], squares);
    }
    const float factor = !(WAITS) && squares + locked > most ? sqrt(fmax(most - locked, 0.0f) / squares) : 1.0f;
    for (int i = from; i < from + COUNT; i++) {
#if HAS_LOCK
        OUT[i] = LOCK[i] != 0.0f ? W[i] : W[i] * factor;
#else
        OUT[i] = W[i] * factor;
#endif
    }
}
