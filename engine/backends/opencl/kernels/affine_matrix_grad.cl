// From the gradient DM (6 x LANES) of a warp's matrix to that of the numbers it was made of.
//
// With SHARED the lanes are added up (OUT has 6 cells): each register in its order, then its lanes (SUM_VF).
// Pointers: DM, OUT, controls. One work-item: VW lanes, or with SHARED all.

FUNCTION vf CAT(NAME, _of)(__global const float *DM, const int k, const int lane) {
    const vf shift = LOAD(DM + (k / 3 * 3 + 2) * LANES + lane);
    if (k % 3 == 2) return shift * (k == 2 ? UNIT_X : UNIT_Y);
    return LOAD(DM + k * LANES + lane) - shift * (k % 3 == 0 ? CX : CY);
}

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int n = CONTROL_INT(LIVE);
#if SHARED
    for (int k = 0; k < 6; k++) {
        vf sum = (vf)(0.0f);
        IN_ORDER
        for (int lane = 0; lane < n; lane += VW) {
            sum += select((vf)(0.0f), CAT(NAME, _of)(DM, k, lane), LIVE_LANES(lane, n));
        }
        OUT[k] = SUM_VF(sum);
    }
#else
    const int lane = id0 * VW;
    for (int k = 0; k < 6; k++) {
        STORE(select((vf)(0.0f), CAT(NAME, _of)(DM, k, lane), LIVE_LANES(lane, n)), OUT + k * LANES + lane);
    }
#endif
}
