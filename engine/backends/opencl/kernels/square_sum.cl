// PARTS[i] = sum of the squares of CHUNK numbers of X, from number i * CHUNK on.
//
// Register by register with fma, then the cells of the register in order, then what is left over.
// Pointers: X (TOTAL), PARTS. One work-item per part.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int to = min(TOTAL, (id0 + 1) * CHUNK);
    int i = id0 * CHUNK;
    pf squares = (pf)(0.0f);
    IN_ORDER
    for (; i + PW <= to; i += PW) {
        const pf v = LOAD_PF(X + i);
        squares = fma(v, v, squares);
    }
    float cells[PW];
    STORE_PF(squares, cells);
    float sum = 0.0f;
    IN_ORDER
    for (int k = 0; k < PW; k++) sum += cells[k];
    IN_ORDER
    for (; i < to; i++) sum = fma(X[i], X[i], sum);
    PARTS[id0] = sum;
}
