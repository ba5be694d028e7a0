// OUT[h][i][j][lane] = shares of exp(S) over j; with CAUSAL only j up to i count, the others are 0.
//
// Pointers: S (HEADS x ROWS x COLUMNS x LANES); the epilogue's own.
// One work-item computes one row of one head for VW lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const int first = (id2 * ROWS + id1) * (COLUMNS * LANES) + lane;
    const int count = CAUSAL ? min(id1 + 1, COLUMNS) : COLUMNS;
    vf most = LOAD(S + first);
    IN_ORDER
    for (int j = 1; j < count; j++) most = fmax(most, LOAD(S + first + j * LANES));
    vf sum = (vf)(0.0f);
    IN_ORDER
    for (int j = 0; j < count; j++) sum += CAT(exp_, VF_NAME)(LOAD(S + first + j * LANES) - most);
    IN_ORDER
    for (int j = 0; j < COLUMNS; j++) {
        vf p = (vf)(0.0f);
        if (j < count) p = CAT(exp_, VF_NAME)(LOAD(S + first + j * LANES) - most) / sum;
        EPILOGUE(first + j * LANES, p)
    }
}
