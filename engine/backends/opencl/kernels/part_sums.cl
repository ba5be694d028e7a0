// PARTS[i] = sum over CHUNK numbers v of X, from number i * CHUNK on, of their squares or their sizes.
//
// Register by register, then the cells of the register in order, then what is left over.
// Pointers: X (TOTAL), PARTS. One work-item per part.
// Tunables: ADD(v, sum)  the sum with v in it.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int to = min(TOTAL, (id0 + 1) * CHUNK);
    int i = id0 * CHUNK;
    pf sums = (pf)(0.0f);
    IN_ORDER
    for (; i + PW <= to; i += PW) sums = ADD(LOAD_PF(X + i), sums);
    float cells[PW];
    STORE_PF(sums, cells);
    float sum = 0.0f;
    IN_ORDER
    for (int k = 0; k < PW; k++) sum += cells[k];
    IN_ORDER
    for (; i < to; i++) sum = ADD(X[i], sum);
    PARTS[id0] = sum;
}
