// The way back through lstm_cell: with dc = LATER + DH * o * (1 - tanh(C)^2)
//   DA = (dc * g * i(1-i), dc * BEFORE * f(1-f), dc * i * (1-g^2), DH * tanh(C) * o(1-o)); DC = dc * f.
//
// Pointers: GATES, DA (4 * UNITS x LANES), the others UNITS x LANES; LATER only with HAS_LATER.
// DH and LATER are zero in dead lanes and stand first in every product, so DA and DC are zero there, too.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int last = min(UNITS, (id1 + 1) * CHUNK);
    for (int unit = id1 * CHUNK; unit < last; unit++) {
        const int at = unit * LANES + id0 * VW;
        const vf i = LOAD(GATES + at);
        const vf f = LOAD(GATES + UNITS * LANES + at);
        const vf g = LOAD(GATES + 2 * UNITS * LANES + at);
        const vf o = LOAD(GATES + 3 * UNITS * LANES + at);
        const vf dh = LOAD(DH + at);
        const vf t = CAT(tanh_, VF_NAME)(LOAD(C + at));
        vf dc = dh * o * (1.0f - t * t);
#if HAS_LATER
        dc = LOAD(LATER + at) + dc;
#endif
        STORE(dc * g * i * (1.0f - i), DA + at);
        STORE(dc * LOAD(BEFORE + at) * f * (1.0f - f), DA + UNITS * LANES + at);
        STORE(dc * i * (1.0f - g * g), DA + 2 * UNITS * LANES + at);
        STORE(dh * t * o * (1.0f - o), DA + 3 * UNITS * LANES + at);
        STORE(dc * f, DC + at);
    }
}
