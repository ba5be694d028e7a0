// r, z = sigmoid(U + Q), n = tanh(U + r * Q); H = (1 - z) * n + z * BEFORE.
//
// Pointers: U, Q, GATES (3 * UNITS x LANES: r, z, n one below the other), BEFORE, H (UNITS x LANES).
// One work-item computes CHUNK units for VW lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int last = min(UNITS, (id1 + 1) * CHUNK);
    for (int unit = id1 * CHUNK; unit < last; unit++) {
        const int at = unit * LANES + id0 * VW;
        const vf r = CAT(sigmoid_, VF_NAME)(LOAD(U + at) + LOAD(Q + at));
        const vf z = CAT(sigmoid_, VF_NAME)(LOAD(U + UNITS * LANES + at) + LOAD(Q + UNITS * LANES + at));
        const vf n = CAT(tanh_, VF_NAME)(fma(r, LOAD(Q + 2 * UNITS * LANES + at), LOAD(U + 2 * UNITS * LANES + at)));
        STORE(r, GATES + at);
        STORE(z, GATES + UNITS * LANES + at);
        STORE(n, GATES + 2 * UNITS * LANES + at);
        STORE(fma(z, LOAD(BEFORE + at), (1.0f - z) * n), H + at);
    }
}
