"""Speed measured honestly: one process a side, blocks in turn, ratios with their spread."""
