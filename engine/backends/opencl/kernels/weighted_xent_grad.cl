// DZ[r][lane] = (P[r][lane] * sum of q - q[r]) / MASS, q as in weighted_xent; 0 in lanes from n on.
//
// Pointers: P (ROWS x LANES), LABELS (int), W (LANES), MASS (one per step), controls; the epilogue's own.
// One work-item computes VW lanes.

__constant float CAT(NAME, _even)[ROWS] = { EVEN };

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const vi alive = LIVE_LANES(lane, CONTROL_INT(LIVE));
    const vi label = LOAD_INT(LABELS + lane);
    const vf right = RIGHT * LOAD(W + lane);
    const float mass = MASS[step_row];
    float evenly = 0.0f;
    for (int r = 0; r < ROWS; r++) evenly += CAT(NAME, _even)[r];
    for (int r = 0; r < ROWS; r++) {
        vf dz = LOAD(P + r * LANES + lane) * (right + evenly) - CAT(NAME, _even)[r];
        dz -= select((vf)(0.0f), right, label == (vi)(r));
        EPILOGUE(r * LANES + lane, select((vf)(0.0f), dz / mass, alive))
    }
}
