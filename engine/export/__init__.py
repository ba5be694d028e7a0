"""Ways out of Matrizen: trained weights for other programs."""
