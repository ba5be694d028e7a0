// FLAGS[part] = 1 when any of the part's numbers is infinite or not a number, else 0.
//
// Pointers: X, TOTAL (int: how many X are), FLAGS (int, one per part). One work-item looks at PART numbers.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int from = id0 * PART;
    const int to = min(TOTAL[0], from + PART);
    int found = 0;
    for (int i = from; i < to; i++) found |= (as_int(X[i]) & 0x7f800000) == 0x7f800000;
    FLAGS[id0] = found;
}
