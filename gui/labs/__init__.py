"""Labs: pages that open one thing of the network to the last number."""
