// M[6][lane]: a, b, tx, c, d, ty about the picture's center (CX, CY) become the warp's matrix in pixels.
//
// THETA(k) is the k-th number: of a parameter, of the lane, or a constant. ONE is 1 when the numbers are the
// difference from the identity; UNIT_X, UNIT_Y: pixels of a shift of 1.
// Pointers: T unless constant, OUT. One work-item per register of lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
#ifdef FIXED
    const float fixed[6] = FIXED;
#endif
    const vf a = THETA(0) + ONE, b = THETA(1), c = THETA(3), d = THETA(4) + ONE;
    STORE(a, OUT + 0 * LANES + lane);
    STORE(b, OUT + 1 * LANES + lane);
    STORE(CX + THETA(2) * UNIT_X - a * CX - b * CY, OUT + 2 * LANES + lane);
    STORE(c, OUT + 3 * LANES + lane);
    STORE(d, OUT + 4 * LANES + lane);
    STORE(CY + THETA(5) * UNIT_Y - c * CX - d * CY, OUT + 5 * LANES + lane);
}
