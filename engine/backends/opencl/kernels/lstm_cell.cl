// i, f, o = sigmoid(U + Q), g = tanh(U + Q); C = f * BEFORE + i * g; H = o * tanh(C).
//
// Pointers: U, Q, GATES (4 * UNITS x LANES: i, f, g, o one below the other), BEFORE, C, H (UNITS x LANES).
// One work-item computes CHUNK units for VW lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int last = min(UNITS, (id1 + 1) * CHUNK);
    for (int unit = id1 * CHUNK; unit < last; unit++) {
        const int at = unit * LANES + id0 * VW;
        const vf i = CAT(sigmoid_, VF_NAME)(LOAD(U + at) + LOAD(Q + at));
        const vf f = CAT(sigmoid_, VF_NAME)(LOAD(U + UNITS * LANES + at) + LOAD(Q + UNITS * LANES + at));
        const vf g = CAT(tanh_, VF_NAME)(LOAD(U + 2 * UNITS * LANES + at) + LOAD(Q + 2 * UNITS * LANES + at));
        const vf o = CAT(sigmoid_, VF_NAME)(LOAD(U + 3 * UNITS * LANES + at) + LOAD(Q + 3 * UNITS * LANES + at));
        const vf c = fma(f, LOAD(BEFORE + at), i * g);
        STORE(i, GATES + at);
        STORE(f, GATES + UNITS * LANES + at);
        STORE(g, GATES + 2 * UNITS * LANES + at);
        STORE(o, GATES + 3 * UNITS * LANES + at);
        STORE(c, C + at);
        STORE(o * CAT(tanh_, VF_NAME)(c), H + at);
    }
}
