// OUT[0] = (sum of the first n lanes of X) / DIVISOR(n): the mean loss, or the number of hits.
//
// Lanes from n on are not counted. Registers are added in order, then halved (SUM_VF).
// Pointers: X (LANES), controls; the epilogue's own (EPILOGUE_S). One work-item.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int n = CONTROL_INT(LIVE);
    vf sum = (vf)(0.0f);
    IN_ORDER
    for (int lane = 0; lane < n; lane += VW) sum += select((vf)(0.0f), LOAD(X + lane), LIVE_LANES(lane, n));
    EPILOGUE_S(0, SUM_VF(sum) / (float)(DIVISOR(n)))
}
