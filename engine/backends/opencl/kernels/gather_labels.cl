// OUT[lane] = LABELS[ORDER[pos + lane]] for lanes below n, else 0. One work-item does all lanes.
//
// Pointers: LABELS, ORDER, OUT (all int), controls.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int n = CONTROL_INT(LIVE);
    const int pos = CONTROL_INT(POSITION);
    for (int lane = 0; lane < LANES; lane++) OUT[lane] = lane < n ? LABELS[ORDER[pos + lane]] : 0;
}
