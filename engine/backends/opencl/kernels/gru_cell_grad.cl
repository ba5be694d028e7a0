// The way back through gru_cell: dn = DH * (1 - z) * (1 - n^2), dz = DH * (BEFORE - n) * z(1-z),
// dr = dn * Q_n * r(1-r); DU = (dr, dz, dn), DQ = (dr, dz, dn * r), PAST = DH * z.
//
// Pointers: GATES, Q, DU, DQ (3 * UNITS x LANES), the others UNITS x LANES.
// DH is zero in dead lanes and stands first in every product, so the results are zero there, too.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int last = min(UNITS, (id1 + 1) * CHUNK);
    for (int unit = id1 * CHUNK; unit < last; unit++) {
        const int at = unit * LANES + id0 * VW;
        const vf r = LOAD(GATES + at);
        const vf z = LOAD(GATES + UNITS * LANES + at);
        const vf n = LOAD(GATES + 2 * UNITS * LANES + at);
        const vf dh = LOAD(DH + at);
        const vf dn = dh * (1.0f - z) * (1.0f - n * n);
        const vf dz = dh * (LOAD(BEFORE + at) - n) * z * (1.0f - z);
        const vf dr = dn * LOAD(Q + 2 * UNITS * LANES + at) * r * (1.0f - r);
        STORE(dr, DU + at);
        STORE(dz, DU + UNITS * LANES + at);
        STORE(dn, DU + 2 * UNITS * LANES + at);
        STORE(dr, DQ + at);
        STORE(dz, DQ + UNITS * LANES + at);
        STORE(dn * r, DQ + 2 * UNITS * LANES + at);
        STORE(dh * z, PAST + at);
    }
}
