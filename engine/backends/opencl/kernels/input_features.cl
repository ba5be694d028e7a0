// ROWS: for each feature of the points (x, y) an EPILOGUE with its expression; BACK: for dX the sums of DY times the
// slopes, 0 in lanes from n on.
//
// Pointers: X (2 x LANES), with BACK also DY (features x LANES) and controls; the epilogue's own.
// One work-item computes VW lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const vf x = LOAD(X + lane), y = LOAD(X + LANES + lane);
#if BACK
    const vi alive = LIVE_LANES(lane, CONTROL_INT(LIVE));
#endif
    ROWS
}
