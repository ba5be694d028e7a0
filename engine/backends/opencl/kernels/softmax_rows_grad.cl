// OUT = P * (DP - sum over j of DP * P), row by row of every head; 0 in lanes from n on.
//
// Pointers: DP, P (HEADS x ROWS x COLUMNS x LANES), controls; the epilogue's own.
// One work-item computes one row of one head for VW lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const int first = (id2 * ROWS + id1) * (COLUMNS * LANES) + lane;
    const vi alive = LIVE_LANES(lane, CONTROL_INT(LIVE));
    vf sum = (vf)(0.0f);
    IN_ORDER
    for (int j = 0; j < COLUMNS; j++) sum = fma(LOAD(DP + first + j * LANES), LOAD(P + first + j * LANES), sum);
    for (int j = 0; j < COLUMNS; j++) {
        const vf ds = LOAD(P + first + j * LANES) * (LOAD(DP + first + j * LANES) - sum);
        EPILOGUE(first + j * LANES, select((vf)(0.0f), ds, alive))
    }
}
