// W[lane] = the weight of the label's class, 0 in lanes from n on.
//
// Pointers: LABELS (int), controls; the epilogue's own. One work-item computes VW lanes.

__constant float CAT(NAME, _table)[ROWS] = { CLASS_WEIGHTS };

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const vi label = LOAD_INT(LABELS + lane);
    vf weight = (vf)(0.0f);
    for (int r = 0; r < ROWS; r++) weight = select(weight, (vf)(CAT(NAME, _table)[r]), label == (vi)(r));
    EPILOGUE(lane, select((vf)(0.0f), weight, LIVE_LANES(lane, CONTROL_INT(LIVE))))
}
