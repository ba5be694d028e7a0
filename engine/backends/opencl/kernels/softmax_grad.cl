// With LOGS: DZ = DP - exp(P) * sum over r of DP, for P the logarithms of the shares. Else:
// DZ = P * (DP - sum over r of DP * P), for each sample; 0 in lanes from n on.
//
// Pointers: DP, P (ROWS x LANES), controls; the epilogue's own. One work-item computes VW lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const vi alive = LIVE_LANES(lane, CONTROL_INT(LIVE));
    vf sum = (vf)(0.0f);
#if LOGS
    for (int r = 0; r < ROWS; r++) sum += LOAD(DP + r * LANES + lane);
#else
    for (int r = 0; r < ROWS; r++) sum += LOAD(DP + r * LANES + lane) * LOAD(P + r * LANES + lane);
#endif
    for (int r = 0; r < ROWS; r++) {
#if LOGS
        const vf dz = LOAD(DP + r * LANES + lane) - CAT(exp_, VF_NAME)(LOAD(P + r * LANES + lane)) * sum;
#else
        const vf dz = LOAD(P + r * LANES + lane) * (LOAD(DP + r * LANES + lane) - sum);
#endif
        EPILOGUE(r * LANES + lane, select((vf)(0.0f), dz, alive))
    }
}
